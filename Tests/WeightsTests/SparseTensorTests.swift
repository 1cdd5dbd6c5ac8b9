import FireflyTensors
import FireflyWeights
import Foundation
import Testing

@Suite struct SparseTensorTests {
  /// Pages of a tensor that are in memory.
  private func resident(_ tensor: Tensor) -> Int {
    tensor.withHostBytes { bytes in
      let page = Int(getpagesize())
      var found = [UInt8](repeating: 0, count: (bytes.count + page - 1) / page)
      #expect(mincore(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, &found) == 0)
      return found.count { $0 & 1 == 1 }
    }
  }

  @Test(arguments: [0..<300, 100..<100_000, 5000..<5001, 0..<200_000]) func clearsElementsAndGivesPagesBack(
    _ range: Range<Int>
  ) throws {
    let sparse = try SparseTensor(200_000, .float32)
    #expect(resident(sparse.whole) == 0)
    Ops.convert(
      sparse.whole.matrix, Tensor([Float](repeating: 3, count: 200_000), [200_000]).matrix)
    let before = resident(sparse.whole)
    #expect(before == (4 * 200_000 + Int(getpagesize()) - 1) / Int(getpagesize()))
    sparse.clear(range)
    // But the pages at both ends, which hold other elements.
    #expect(resident(sparse.whole) <= before - max(0, 4 * range.count / Int(getpagesize()) - 2))
    let floats = sparse.whole.floats
    #expect(floats.indices.allSatisfy { floats[$0] == (range.contains($0) ? 0 : 3) })
  }
}
