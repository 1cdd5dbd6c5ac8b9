import Foundation

/// The processor: memory from its pool, operations by the kernels of its best instruction set, on the threads of
/// `Parallel`. Results do not depend on how many threads there are.
package final class CPU: Device {
  package static let shared = CPU()

  package var name: String { "the processor" }
  package var isHost: Bool { true }
  package var multipliesBFloat16: Bool { InstructionSet.multipliesBFloat16 }

  // MARK: Memory

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
  /// Whether the processor's products of bfloat16 run at a rate of their own; otherwise they are converted to float32 and
  /// computing in float32 is the better choice.
  public static var supportsBFloat16: Bool { CPU.shared.multipliesBFloat16 }

  /// The type that products are computed in unless another is asked for.
  public static var usualCompute: DType { supportsBFloat16 ? .bfloat16 : .float32 }
}
