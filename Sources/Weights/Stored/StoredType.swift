import FireflyTensors

/// How a tensor's elements lie in a file: safetensors' plain types and GGUF's plain and block types.
package enum StoredType: String, Sendable, CaseIterable, CustomStringConvertible {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float8E4M3 = "F8_E4M3"
  case float8E5M2 = "F8_E5M2"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint64 = "U64"
  case uint32 = "U32"
  case uint16 = "U16"
  case uint8 = "U8"
  case bool = "BOOL"
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q4_K = "Q4_K"
  case q5_K = "Q5_K"
  case q6_K = "Q6_K"
  case q2_K = "Q2_K"
  case q3_K = "Q3_K"
  case iq4_NL = "IQ4_NL"
  case iq4_XS = "IQ4_XS"
  case mxfp4 = "MXFP4"

  /// The name that safetensors and GGUF give it.
  package var description: String { rawValue }

  /// Elements of one block along a row; 1 for plain types.
  package var blockElements: Int { blockFormat?.elements ?? 1 }

  /// Bytes of one block; of one element for plain types.
  package var blockBytes: Int { blockFormat?.bytes ?? plainBytes }

  /// Bytes of one element of a plain type; 0 of the others.
  private var plainBytes: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K, .q2_K, .q3_K, .iq4_NL, .iq4_XS, .mxfp4: 0
    }
  }

  /// Whether it is one of GGUF's quantised blocks.
  package var isBlock: Bool { blockFormat != nil }

  /// The same type in memory, where there is one.
  package var dtype: DType? {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int32: .int32
    case .uint8: .uint8
    default: nil
    }
  }

  package init(_ dtype: DType) {
    switch dtype {
    case .float32: self = .float32
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .int32: self = .int32
    case .uint8: self = .uint8
    }
  }

  /// Bytes of a tensor of `shape`; nil when its rows are not whole blocks or a number overflows.
  package func byteCount(of shape: [Int]) -> Int? {
    guard (shape.last ?? 1) % blockElements == 0 else { return nil }
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      count = product
    }
    let (bytes, overflow) = (count / blockElements).multipliedReportingOverflow(by: blockBytes)
    return overflow ? nil : bytes
  }
}

/// What a file says about one of its tensors.
package struct TensorInfo: Sendable, Equatable {
  package var name: String
  package let type: StoredType
  /// Row-major, outermost first: a linear layer's weight is [out, in].
  package let shape: [Int]
  /// The file that holds the bytes.
  package let path: String
  /// Where they lie, from the start of the file.
  package let range: Range<Int>
}
