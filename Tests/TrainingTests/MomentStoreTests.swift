import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

@Suite struct MomentStoreTests {
  private let shapes = [[3, 5], [64], [2, 100]]

  @Test func pagedMomentsAreZeroApartAndWritable() throws {
    let folder = try TemporaryFolder()
    let store = try MomentStore(shapes: shapes, pagedIn: folder.path)
    #expect(store.moments.map(\.m.shape) == shapes && store.moments.map(\.v.shape) == shapes)
    let all = store.moments.flatMap { [$0.m, $0.v] }
    #expect(all.allSatisfy { $0.floats.allSatisfy { $0 == 0 } })
    for (index, tensor) in all.enumerated() {
      tensor.bytes.withMemoryRebound(to: Float.self) { $0.update(repeating: Float(index + 1)) }
    }
    for (index, tensor) in all.enumerated() {
      #expect(tensor.floats.allSatisfy { $0 == Float(index + 1) }, "tensor \(index)")
    }
  }

  @Test func leavesNoFile() throws {
    let folder = try TemporaryFolder()
    let store = try MomentStore(shapes: shapes, pagedIn: folder.path)
    #expect(try folder.names().isEmpty)
    #expect(store.byteCount == 2 * (64 + 256 + 832))
  }

  @Test func saysWhenTheDiskHasNoRoom() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(shapes: [[1 << 24, 1 << 24]], pagedIn: folder.path)
    }
    #expect(error?.what.hasPrefix("no room for the optimizer's") == true)
    #expect(error?.fix?.contains("adamw_torch") == true)
    #expect(try folder.names().isEmpty)
  }

  @Test func saysWhenTheFolderCannotBeWritten() throws {
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(shapes: shapes, pagedIn: "/nonexistent")
    }
    #expect(error?.what.contains("cannot make the optimizer's file") == true)
  }
}
