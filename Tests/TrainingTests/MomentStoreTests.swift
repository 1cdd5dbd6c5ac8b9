import FireflyBase
import FireflyDoubles
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

@Suite struct MomentStoreTests {
  /// Elements of an arena, of which the store has some.
  private let range = 16..<16 + 288
  private let parts = [16..<31, 32..<96, 96..<296]

  @Test(arguments: [false, true]) func momentsAreZeroApartAndWritable(_ isPaged: Bool) throws {
    let folder = try TemporaryFolder()
    let store =
      try isPaged ? MomentStore(for: [range], pagedIn: folder.path) : MomentStore(for: [range], on: .cpu)
    let all = try parts.flatMap { part in
      let found = store.moments(in: part)
      #expect(found.map(\.range) == [part])
      guard case .float32(let m, let v) = try #require(found.first).moments else {
        Issue.record("moments in 8 bits")
        return [Tensor]()
      }
      return [m, v]
    }
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

  /// Of tensors of 4,096 elements and more but the embedding, in memory and in a file; zero, apart and of the size planned.
  @Test(arguments: [false, true]) func momentsOfLargeTensorsHaveEightBits(_ isPaged: Bool) throws {
    let tiny = try TinyRun()
    let model = try Transformer.load(
      ModelSource.open(tiny.model), compute: .float32, training: FullOptions(), memory: ArenaMemory())
    let trainable = model.arena.trainable
    let store = try MomentStore(inBytesFor: trainable, on: .cpu, pagedIn: isPaged ? tiny.path : nil)
    var tensors: [Tensor] = []
    for slot in trainable.slots {
      switch store.moments(of: slot) {
      case .float32(let m, let v):
        #expect(slot.count < 4096 || slot.role == .embedding, "\(slot.name)")
        #expect(m.shape == slot.shape && v.shape == slot.shape)
        tensors += [m, v]
      case .bytes(let m, let v):
        #expect(slot.count >= 4096 && slot.role != .embedding, "\(slot.name)")
        #expect(m.codes.count == slot.count && v.codes.count == slot.count)
        tensors += [m.codes, m.absmax, v.codes, v.absmax]
      }
    }
    #expect(tensors.contains { $0.dtype == .uint8 })
    #expect(tensors.allSatisfy { $0.withHostBytes { $0.allSatisfy { $0 == 0 } } })
    let starts = tensors.map { ($0.byteOffset, $0.byteOffset + $0.byteCount) }.sorted { $0.0 < $1.0 }
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $0.1 <= $1.0 })
    #expect(try #require(starts.last).1 <= store.byteCount)
    #expect(store.byteCount == MomentStore.byteCount(inBytesFor: trainable))
    #expect(store.byteCount < 8 * trainable.count / 2)
  }

  @Test func leavesNoFile() throws {
    let folder = try TemporaryFolder()
    let store = try MomentStore(for: [range], pagedIn: folder.path)
    #expect(try folder.names().isEmpty)
    #expect(store.byteCount == 2 * 4 * 288)
  }

  @Test func saysWhenTheDiskHasNoRoom() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(for: [0..<1 << 48], pagedIn: folder.path)
    }
    #expect(error?.what.hasPrefix("no room for the optimizer's") == true)
    #expect(error?.fix?.contains("adamw_torch") == true)
    #expect(try folder.names().isEmpty)
  }

  @Test func saysWhenTheFolderCannotBeWritten() throws {
    let error = #expect(throws: FireflyError.self) {
      try MomentStore(for: [range], pagedIn: "/nonexistent")
    }
    #expect(error?.what.contains("cannot make the optimizer's file") == true)
  }
}
