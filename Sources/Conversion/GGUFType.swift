import FireflyTensors
import FireflyWeights

/// What the matrices of an exported GGUF file are stored in. Vectors are float32 always, as llama.cpp keeps them.
public enum GGUFType: String, CaseIterable, Sendable {
  case f32, f16, bf16, q8_0, q4_0

  /// `general.file_type`: llama.cpp's `llama_ftype`.
  var fileType: Int {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q4_0: 2
    case .q8_0: 7
    case .bf16: 32
    }
  }

  var stored: StoredType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    case .q8_0: .q8_0
    case .q4_0: .q4_0
    }
  }

  /// What a tensor of `shape` is stored in.
  ///
  /// A row that is not whole blocks is float16, as in llama.cpp's converter; the head of a Q4_0 file is Q8_0, because the
  /// logits suffer most.
  func stored(shape: [Int], isHead: Bool) -> StoredType {
    guard shape.count > 1 else { return .float32 }
    let wanted = self == .q4_0 && isHead ? StoredType.q8_0 : stored
    return (shape.last ?? 1) % wanted.blockElements == 0 ? wanted : .float16
  }
}

extension StoredType {
  /// The bytes of a float32 tensor in this type.
  func encoded(_ tensor: Tensor) -> Tensor {
    if let format = BlockFormat(self) { return format.encode(tensor) }
    guard let dtype, dtype != tensor.dtype else { return tensor }
    return tensor.converted(to: dtype)
  }
}

extension BlockFormat {
  /// The formats that can be encoded.
  fileprivate init?(_ type: StoredType) {
    switch type {
    case .q4_0: self = .q4_0
    case .q8_0: self = .q8_0
    default: return nil
    }
  }
}
