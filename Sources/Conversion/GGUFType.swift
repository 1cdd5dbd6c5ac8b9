import FireflyTensors
import FireflyWeights

/// What the matrices of an exported GGUF file are stored in; llama.cpp's names. Vectors are float32 always.
///
/// Those of quantised types are mixtures: which tensor has how many bits is `GGUFMixture`'s.
public enum GGUFType: String, CaseIterable, Sendable {
  case f32, f16, bf16, q8_0
  case q6_K = "q6_k"
  case q5_K_M = "q5_k_m"
  case q5_K_S = "q5_k_s"
  case q5_1, q5_0
  case q4_K_M = "q4_k_m"
  case q4_K_S = "q4_k_s"
  case q4_1, q4_0
  case iq4_NL = "iq4_nl"
  case iq4_XS = "iq4_xs"
  case q3_K_L = "q3_k_l"
  case q3_K_M = "q3_k_m"
  case q3_K_S = "q3_k_s"
  case q2_K = "q2_k"
  /// Experts in MXFP4, other matrices in Q8_0.
  case mxfp4_MoE = "mxfp4_moe"

  /// `general.file_type`: llama.cpp's `llama_ftype`.
  var fileType: Int {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_K: 10
    case .q3_K_S: 11
    case .q3_K_M: 12
    case .q3_K_L: 13
    case .q4_K_S: 14
    case .q4_K_M: 15
    case .q5_K_S: 16
    case .q5_K_M: 17
    case .q6_K: 18
    case .iq4_NL: 25
    case .iq4_XS: 30
    case .bf16: 32
    case .mxfp4_MoE: 38
    }
  }

  /// What most matrices are stored in.
  var stored: StoredType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    case .q8_0: .q8_0
    case .q6_K: .q6_K
    case .q5_K_M, .q5_K_S: .q5_K
    case .q5_1: .q5_1
    case .q5_0: .q5_0
    case .q4_K_M, .q4_K_S: .q4_K
    case .q4_1: .q4_1
    case .q4_0: .q4_0
    case .iq4_NL: .iq4_NL
    case .iq4_XS: .iq4_XS
    case .q3_K_L, .q3_K_M, .q3_K_S: .q3_K
    case .q2_K: .q2_K
    case .mxfp4_MoE: .q8_0
    }
  }

  /// Whether matrices lie in blocks of few bits.
  public var isQuantized: Bool { stored.isBlock }
}

extension StoredType {
  /// The bytes of a tensor of floats in this type.
  ///
  /// - Parameter importance: float32 [columns]; see `BlockFormat.encode`.
  func encoded(_ tensor: Tensor, importance: Tensor? = nil) -> Tensor {
    if let format = BlockFormat(self) { return format.encode(tensor, importance: importance) }
    guard let dtype, dtype != tensor.dtype else { return tensor }
    return tensor.converted(to: dtype)
  }
}

extension BlockFormat {
  fileprivate init?(_ type: StoredType) {
    guard let format = BlockFormat.allCases.first(where: { "\($0)".uppercased() == type.rawValue }) else {
      return nil
    }
    self = format
  }
}
