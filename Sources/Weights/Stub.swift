import FireflyTensors

// Until the kernels have it.
extension Ops {
  static func decodeBlocks(_ format: BlockFormat, _ bytes: UnsafeRawBufferPointer, into out: Tensor) {
    preconditionFailure("GGUF blocks are not decoded yet")
  }
}
enum BlockFormat { case q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K }
