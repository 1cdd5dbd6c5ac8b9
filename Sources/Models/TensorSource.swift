import FireflyTensors
import FireflyWeights

/// Where a model's tensors come from.
protocol TensorSource {
  /// The folder or file, for messages.
  var path: String { get }
  /// What the source calls a tensor.
  func storedName(_ name: String, _ architecture: Architecture) -> String
  func tensor(_ name: String, shape: [Int], as dtype: DType) throws -> Tensor
  /// nil when it is not stored in 4 bits.
  func nf4(_ name: String, shape: [Int]) throws -> NF4Tensor?
  /// nil when it is not stored in GGUF's quantised blocks.
  func blocks(_ name: String, shape: [Int]) throws -> BlockTensor?
  /// Whether `tensor` gives the file itself.
  func isMapped(_ name: String, as dtype: DType) -> Bool
  /// Lets go of the file pages that hold a tensor.
  func release(_ name: String)
}

extension WeightStore: TensorSource {
  func storedName(_ name: String, _ architecture: Architecture) -> String {
    architecture.storedName(name, in: self)
  }

  func isMapped(_ name: String, as dtype: DType) -> Bool { info(name)?.type.dtype == dtype }
}
