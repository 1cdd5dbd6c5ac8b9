import Foundation

/// The processor: memory from its pool, operations by the kernels of its best instruction set, on the threads of
/// `Parallel`. Results do not depend on how many threads there are.
package final class CPU: Device {
  package static let shared = CPU()

  package var name: String { "the processor" }
  package var isHost: Bool { true }
  package var multipliesBFloat16: Bool { InstructionSet.multipliesBFloat16 }

  /// An operation is done when it returns.
  package func synchronise() {}

  // MARK: Memory

  package var ownMemory: Int? { nil }
  package var peakBytes: Int { StoragePool.shared.peakSinceRecording }
  package func startRecordingPeak() { StoragePool.shared.startRecordingPeak() }

  package func allocate(_ byteCount: Int) -> DeviceBlock { StoragePool.shared.take(byteCount) }
  package func free(_ block: DeviceBlock) { StoragePool.shared.give(block) }

  package func upload(_ bytes: UnsafeRawBufferPointer, to address: UnsafeMutableRawPointer) {
    if let base = bytes.baseAddress { memcpy(address, base, bytes.count) }
  }

  package func download(_ address: UnsafeMutableRawPointer, into bytes: UnsafeMutableRawBufferPointer) {
    if let base = bytes.baseAddress { memcpy(base, address, bytes.count) }
  }

  package func zero(_ x: Tensor) { memset(x.pointer, 0, x.byteCount) }
}

extension Device where Self == CPU {
  package static var cpu: CPU { .shared }
}

extension Ops {
  /// The type that the processor's products are computed in unless another is asked for.
  package static var usualCompute: DType { CPU.shared.usualCompute }
}
