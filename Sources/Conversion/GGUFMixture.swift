import FireflyWeights

/// Which type each tensor of a GGUF file is stored in: the rules of llama.cpp's quantiser (llama-quant.cpp), which gives
/// more bits to what suffers most.
struct GGUFMixture {
  let type: GGUFType
  let layers: Int
  /// Heads of queries to one of keys.
  let grouping: Int
  /// Experts of a layer; 0: none.
  let experts: Int
  /// Whether the embedding is the head too.
  let isTied: Bool
  /// Whether it is a LLaMA 2 or 3 of 70 billion parameters or a Qwen2 of 72: eight heads share a small value matrix.
  let sharesValues: Bool
  /// Whether errors are weighed by what the inputs are.
  let hasImportance: Bool

  /// - Parameters:
  ///   - name: GGUF's name of the tensor.
  ///   - shape: outermost first.
  func stored(_ name: String, shape: [Int]) -> StoredType {
    guard shape.count > 1, !["_norm.weight", "ffn_gate_inp.weight", ".bias"].contains(where: name.hasSuffix)
    else {
      return .float32
    }
    let columns = shape.last ?? 1
    guard type.isQuantized else { return type.stored }
    if type == .mxfp4_MoE, shape.count == 3 { return GGUFMixture.fitting(.mxfp4, columns) }
    return GGUFMixture.fitting(mixed(name, columns), columns)
  }

  private func mixed(_ name: String, _ columns: Int) -> StoredType {
    let usual = type.stored
    func named(_ part: String) -> Bool { name.contains(part) }
    if name == GGUFNames.headWeight(isTied: isTied) {
      return columns % usual.blockElements != 0 || usual == .q8_0 ? .q8_0 : .q6_K
    }
    let layer = name.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0
    if ["attn_v.weight", "attn_qkv.weight", "attn_kv_b.weight"].contains(where: named) {
      return values(layer)
    }
    if named("attn_k.weight"), experts == 8 { return .q8_0 }
    if named("ffn_down") { return down(layer) }
    return named("attn_output.weight") ? output : usual
  }

  /// The values' matrix, also where those of queries and keys are in it.
  private func values(_ layer: Int) -> StoredType {
    if experts == 8 { return .q8_0 }
    let chosen: StoredType =
      switch type {
      case .q2_K: grouping >= 4 ? .q4_K : .q3_K
      case .q3_K_M: layer < 2 ? .q5_K : .q4_K
      case .q3_K_L: .q5_K
      case .iq4_NL, .iq4_XS: grouping >= 4 ? .q5_K : type.stored
      case .q4_K_M, .q5_K_M: takesMore(layer) ? .q6_K : type.stored
      case .q4_K_S: layer < 4 ? .q5_K : .q4_K
      default: type.stored
      }
    return sharesValues && (chosen == .q3_K || chosen == .q4_K) ? .q5_K : chosen
  }

  /// The matrix behind attention.
  private var output: StoredType {
    if experts == 8 {
      switch type {
      case .q2_K, .q3_K_S, .q3_K_M, .iq4_NL, .iq4_XS, .q4_K_S, .q4_K_M: return .q5_K
      default: return type.stored
      }
    }
    switch type {
    case .q2_K: return .q3_K
    case .q3_K_M: return .q4_K
    case .q3_K_L: return .q5_K
    default: return type.stored
    }
  }

  /// The matrix back to the hidden size.
  private func down(_ layer: Int) -> StoredType {
    let isEarly = layer < layers / 8
    switch type {
    case .q2_K: return .q3_K
    case .q3_K_M: return layer < layers / 16 ? .q5_K : .q4_K
    case .q3_K_L: return .q5_K
    case .iq4_NL, .iq4_XS: return isEarly && !hasImportance ? .q5_K : type.stored
    case .q4_K_M, .q5_K_M: return takesMore(layer) ? .q6_K : type.stored
    case .q4_K_S: return isEarly ? .q5_K : .q4_K
    case .q4_0: return isEarly && hasImportance ? .q4_1 : .q4_0
    case .q5_0: return isEarly && hasImportance ? .q5_1 : .q5_0
    default: return type.stored
    }
  }

  /// The first and last eighth of the layers, and every third between.
  private func takesMore(_ layer: Int) -> Bool {
    layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
  }

  /// The type, or where rows are not whole blocks of it, one with smaller blocks, or else float16.
  private static func fitting(_ type: StoredType, _ columns: Int) -> StoredType {
    if columns % type.blockElements == 0 { return type }
    let smaller: StoredType =
      switch type {
      case .q4_K: .q5_0
      case .q5_K: .q5_1
      case .q6_K: .q8_0
      case .q3_K, .q2_K: .q4_0
      case .iq4_XS: .iq4_NL
      default: .float16
      }
    return columns % smaller.blockElements == 0 ? smaller : .float16
  }
}
