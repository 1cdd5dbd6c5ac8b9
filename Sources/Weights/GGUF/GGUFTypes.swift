import FireflyTensors

extension StoredType {
  /// GGUF's number for it; nil when Firefly does not read it from GGUF.
  var ggml: UInt32? {
    switch self {
    case .float32: 0
    case .float16: 1
    case .q4_0: 2
    case .q4_1: 3
    case .q5_0: 6
    case .q5_1: 7
    case .q8_0: 8
    case .q2_K: 10
    case .q3_K: 11
    case .q4_K: 12
    case .q5_K: 13
    case .q6_K: 14
    case .iq4_NL: 20
    case .iq4_XS: 23
    case .bfloat16: 30
    case .mxfp4: 39
    default: nil
    }
  }

  init?(ggml number: UInt32) {
    guard let type = StoredType.allCases.first(where: { $0.ggml == number }) else { return nil }
    self = type
  }

  /// The name of a type that is not read, for messages. Source: ggml's `ggml_type`.
  static func ggmlName(_ number: UInt32) -> String {
    let names: [UInt32: String] = [
      9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
      21: "IQ3_S", 22: "IQ2_S", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
      28: "F64",
      29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 40: "NVFP4", 41: "Q1_0",
    ]
    return names[number] ?? "type \(number)"
  }

  /// How its blocks are decoded; nil for plain types.
  var blockFormat: BlockFormat? {
    switch self {
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q8_0: .q8_0
    case .q4_K: .q4_K
    case .q5_K: .q5_K
    case .q6_K: .q6_K
    case .q2_K: .q2_K
    case .q3_K: .q3_K
    case .iq4_NL: .iq4_NL
    case .iq4_XS: .iq4_XS
    case .mxfp4: .mxfp4
    default: nil
    }
  }
}
