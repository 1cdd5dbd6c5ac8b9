import CKernels
import CTiles
import FireflyTensors
import FireflyTestSupport
import Testing

/// Attention on tiles: AttentionTests holds its numbers, these that every table gives the same bits.
struct TileAttentionTests {
  @Test(arguments: [
    AttentionTests.Case(heads: 4, keyValueHeads: 2, headDim: 64, lengths: [1, 7, 300, 40]),
    AttentionTests.Case(heads: 1, keyValueHeads: 1, headDim: 80, lengths: [210], window: 100),
    AttentionTests.Case(
      heads: 2, keyValueHeads: 1, headDim: 24, valueDim: 40, lengths: [97, 260], hasSlopes: true, cap: 3),
  ])
  func everyTableGivesTheSameBits(_ example: AttentionTests.Case) {
    let run = AttentionTests.Run(example.shape, rows: example.rows, .bfloat16, seed: 21)
    let results = TileProductsTests.Table.all.map { table in
      table.use {
        run.compute(example.starts, example.shape)
        return run.results + [run.logSums.floats.map(Double.init)]
      }
    }
    #expect(results[0].allSatisfy { $0.allSatisfy(\.isFinite) })
    for (table, result) in zip(TileProductsTests.Table.all, results) {
      #expect(result == results[0], "\(table.name)")
    }
  }
}
