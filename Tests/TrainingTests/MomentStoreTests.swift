import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

@Suite struct MomentStoreTests {
  /// Elements of an arena, of which the store has some.
  private let range = 16..<16 + 288
  private let parts = [16..<31, 32..<96, 96..<296]

  @Test(arguments: [false, true]) func momentsAreZeroApartAndWritable(_ isPaged: Bool) throws {
    let folder = try TemporaryFolder()
    let store =
      try isPaged ? MomentStore(for: range, pagedIn: folder.path) : MomentStore(for: range, on: .cpu)
    let all = parts.flatMap { [store.moments($0).m, store.moments($0).v] }
    #expect(all.map(\.count) == parts.flatMap { [$0.count, $0.count] })
    #expect(all.allSatisfy { $0.floats.allSatisfy { $0 == 0 } })
    for (index, tensor) in all.enumerated() {
      Ops.convert(
        tensor.matrix, Tensor([Float](repeating: Float(index + 1), count: tensor.count), tensor.shape).matrix)
    }
    for (index, tensor) in all.enumerated() {
      #expect(tensor.floats.allSatisfy { $0 == Float(index + 1) }, "tensor \(index)")
    }
  }

  @Test func leavesNoFile() throws {
    let folder = try TemporaryFolder()
    let store = try MomentStore(for: range, pagedIn: folder.path)
    #expect(try folder.names().isEmpty)
    #expect(store.byteCount == 2 * 4 * 288)
  }

  @Test func saysWhenTheDiskHasNoRoom() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(for: 0..<1 << 48, pagedIn: folder.path)
    }
    #expect(error?.what.hasPrefix("no room for the optimizer's") == true)
    #expect(error?.fix?.contains("adamw_torch") == true)
    #expect(try folder.names().isEmpty)
  }

  @Test func saysWhenTheFolderCannotBeWritten() throws {
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(for: range, pagedIn: "/nonexistent")
    }
    #expect(error?.what.contains("cannot make the optimizer's file") == true)
  }
}
