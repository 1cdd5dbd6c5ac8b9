import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Testing

@testable import FireflyModels

/// NEFTune: what noise there is, and that the rest of the model takes it for the embedding's word.
@Suite struct EmbeddingNoiseTests {
  private let pass = Pass(seed: 9, step: 4, microBatch: 2, training: true, embeddingNoise: 5)

  /// Row by row from ±α/√(L·C), L being the row's own tokens; `rows` are those of the micro-batch's tokens that are here.
  private func noise(_ lengths: [Int], _ columns: Int, from row: Int = 0) -> [Float] {  // [T, C]
    let ofRows = lengths.flatMap { [Int](repeating: $0, count: $0) }
    return ofRows.enumerated().flatMap { index, length in
      let most = pass.embeddingNoise / Float(length * columns).squareRoot()
      return (0..<columns).map { c in
        var random = CounterRandom(
          seed: CounterRandom.mix(pass.seed &+ CounterRandom.mix(pass.step)), stream: 0xFFFF_FFFE << 32 | 2,
          counter: UInt64((row + index) * columns + c))
        return (random.float() * 2 - 1) * most
      }
    }
  }

  private func lengths(_ starts: [Int32]) -> [Int] { zip(starts, starts.dropFirst()).map { Int($1 - $0) } }

  /// gemma's embedding has its factor in itself; granite's and minicpm's is the model's, and behind the noise.
  @Test(arguments: [("gqa", 1), ("families/gemma", 1), ("families/granite", 12)] as [(String, Float)])
  func rowsGetNoiseByTheirLengths(_ name: String, _ factor: Float) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model()
    let sequences = lengths(fixture.starts)
    let drawn = EmbeddingNoise(pass, sequences.map { Positions(first: 0, count: $0) })
    let noisy = model.base.embedding.forward(fixture.tokens, drawn).x
    let plain = model.base.embedding.forward(fixture.tokens).x
    let added = zip(noisy.floats, plain.floats).map { ($0 - $1) / factor }
    let expected = noise(sequences, plain.columns)
    assertClose(added, expected, .share(1e-5, ofLargest: plain.floats))
    #expect(Set(sequences).count > 1 && expected.contains { $0 < 0 } && expected.contains { $0 > 0 })
  }

  /// Loss and gradients are those of a model whose table has the noise in it: every token stands once.
  @Test(arguments: [false, true]) func theRestSeesAnotherTable(_ checkpointing: Bool) throws {
    let fixture = try ModelFixture("gqa")
    func model() throws -> Transformer {
      try Transformer.load(
        ModelSource.open(fixture.folder), compute: .float32, training: FullOptions(), memory: ArenaMemory())
    }
    let (noisy, shifted) = (try model(), try model())
    let tokens = (0..<16).map { Int32($0) }
    let labels = tokens.map { ($0 + 3) % 16 }
    let table = try #require(shifted.parameters.first { $0.name == "model.embed_tokens.weight" })
    var values = table.value.floats
    for (index, value) in noise([16], table.value.columns).enumerated() { values[index] += value }
    table.value.copy(Tensor(values, table.value.shape))
    shifted.parametersChanged()
    func accumulate(_ model: Transformer, _ pass: Pass) -> LossSum {
      var pass = pass
      pass.checkpointing = checkpointing
      return model.accumulateGradients(
        tokens: tokens, labels: labels, starts: [0, 16], weights: [Float](repeating: 1, count: 16), pass: pass
      ).total
    }
    var plain = pass
    plain.embeddingNoise = 0
    let loss = accumulate(noisy, pass)
    #expect(loss == accumulate(shifted, plain))
    #expect(noisy.parameters.map(\.gradient.floats) == shifted.parameters.map(\.gradient.floats))
    noisy.zeroGradients()
    #expect(accumulate(noisy, plain) != loss)
  }

  /// As rows of one micro-batch, and as a rank's part of it; preferences are trained without dropout, but not without noise.
  @Test func partsOfAMicroBatchHaveTheNoiseOfTheWhole() throws {
    let whole = try #require(EmbeddingNoise(pass, [7, 300].map { Positions(first: 0, count: $0) }))
    var second = pass
    second.firstRow = 7
    let part = try #require(EmbeddingNoise(second, [Positions(first: 0, count: 300)]))
    let (x, y) = (Tensor.zeros([307, 12], .float32), Tensor.zeros([300, 12], .float32))
    whole.add(to: x)
    part.add(to: y)
    #expect(Array(x.floats[(7 * 12)...]) == y.floats)
    #expect(x.floats == noise([7, 300], 12))
    second.training = false
    #expect(EmbeddingNoise(second, [Positions(first: 0, count: 300)]) != nil)
    #expect(EmbeddingNoise(.evaluation, [Positions(first: 0, count: 7)]) == nil)
  }
}
