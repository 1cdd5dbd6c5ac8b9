import FireflyBase
import FireflyTensors
import Foundation

/// config.json and generation_config.json, made of a GGUF file's metadata.
extension GGUFCheckpoint {
  /// config.json as transformers writes it, with the old spelling of renamed keys beside the new one.
  func config() throws -> JSONValue {
    let theta = try gguf.optionalNumber(architecture.key(.rotaryBase)) ?? 10_000
    let scaling = try ropeScaling(theta: theta)
    if let scaling, !architecture.scalesRotary {
      throw unsupportedScaling("\(scaling["rope_type"]?.text() ?? "")")
    }
    let embedding = try embeddingShape()
    let dtype = JSONValue.string(weightDType)
    var config: [String: JSONValue] = [
      "architectures": .array([.string(architecture.modelClass)]),
      "model_type": .string(architecture.modelTypes[0]),
      "hidden_act": .string("silu"),
      "hidden_size": .int(hiddenSize),
      "intermediate_size": .int(try gguf.size(architecture.key(.feedForwardLength))),
      "num_hidden_layers": .int(layers),
      "num_attention_heads": .int(heads),
      "num_key_value_heads": .int(keyValueHeads),
      "head_dim": .int(headDim),
      "vocab_size": .int(embedding[0]),
      "max_position_embeddings": .int(try gguf.size(architecture.key(.contextLength))),
      "rms_norm_eps": .double(try epsilon()),
      "tie_word_embeddings": .bool(!gguf.has(GGUFNames.headWeight(isTied: false))),
      "dtype": dtype, "torch_dtype": dtype,
      "rope_theta": .double(theta),
      "rope_scaling": scaling.map { .object($0) } ?? .null,
    ]
    config.merge(architecture.options(gguf)) { $1 }
    for (key, name) in architecture.numbers {
      config[name] = try gguf.optionalNumber(architecture.key(key)).map(GGUFCheckpoint.member)
    }
    for (key, name) in architecture.experts?.sizes ?? [] {
      config[name] = .int(try gguf.size(architecture.key(key)))
    }
    if let first = architecture.experts?.firstLayer {
      config[first] = .int(gguf.metadata[architecture.key(.leadingDenseCount)]?.int ?? 0)
    }
    for factor in architecture.factors {
      config[factor.name] = GGUFCheckpoint.member(try member(factor))
    }
    if architecture.turnsPartly {
      config["partial_rotary_factor"] = .double(Double(try rotaryDimensions()) / Double(headDim))
    }
    let rotary = (scaling ?? ["rope_type": .string("default")]).merging(["rope_theta": .double(theta)]) { $1 }
    config["rope_parameters"] = .object(rotary)
    if architecture.hasLatentHeads {
      config["head_dim"] = nil
      config.merge(try latentSizes()) { $1 }
    }
    config.merge(try given(rotary)) { $1 }
    config.merge(try tokenIDs(vocabulary: embedding[0])) { $1 }
    for (name, own) in architecture.memberNames { config[own] = config.removeValue(forKey: name) }
    return .object(config)
  }

  /// Of keys and values that come from one short vector, and of queries that may.
  private func latentSizes() throws -> [String: JSONValue] {
    let rotary = try rotaryDimensions()
    let valueDim = try gguf.optionalSize(architecture.key(.valueLength)) ?? hiddenSize / heads
    return [
      "q_lora_rank": .int(try gguf.size(architecture.key(.queryRank))),
      "kv_lora_rank": .int(try gguf.size(architecture.key(.keyValueRank))),
      "qk_rope_head_dim": .int(rotary), "qk_nope_head_dim": .int(headDim - rotary),
      "v_head_dim": .int(valueDim), "attention_bias": .bool(false),
    ]
  }

  private func member(_ factor: GGUFArchitecture.Factor) throws -> Double {
    let key = architecture.key(factor.key)
    if let number = try gguf.optionalNumber(key) {
      return factor.inConfig(number, hiddenSize: hiddenSize, layers: layers)
    }
    guard let absent = factor.absent else {
      throw FireflyError(
        "the metadata lacks a number", at: "\(gguf.path): \(key)", expected: "a number above 0")
    }
    return absent
  }

  private static func member(_ number: Double) -> JSONValue {
    Int(exactly: number).map { .int($0) } ?? .double(number)
  }

  /// Members of config.json that follow from the kind.
  private func given(_ rotary: [String: JSONValue]) throws -> [String: JSONValue] {
    let given = architecture.given
    var config = given.constants.mapValues(GGUFCheckpoint.member)
    if let period = given.windowPeriod {
      _ = try gguf.size(architecture.key(.slidingWindow))
      try checkPattern(period)
      config["layer_types"] = .array(
        (1...layers).map { .string($0 % period == 0 ? "full_attention" : "sliding_attention") })
    }
    if let (name, ofLarge) = given.scoreScalar {
      config[name] = .int(layers == ofLarge ? hiddenSize / heads : headDim)
    }
    if let period = given.unturnedPeriod {
      config["no_rope_layers"] = .array((1...layers).map { .int($0 % period == 0 ? 0 : 1) })
    }
    if given.describesWindows {
      let usual = given.windowedTheta.map(JSONValue.double) ?? rotary["rope_theta"]
      let written = try gguf.optionalNumber(architecture.key(.windowedRotaryBase)).map(JSONValue.double)
      let windowed: [String: JSONValue] = ["rope_type": "default", "rope_theta": written ?? usual ?? .null]
      config["rope_parameters"] = .object([
        "full_attention": .object(rotary), "sliding_attention": .object(windowed),
      ])
      // As transformers 5 writes it: both say the same otherwise.
      config["rope_scaling"] = .null
    }
    return config
  }

  /// Where a file says itself which layers have a window, they must be those of its kind.
  private func checkPattern(_ period: Int) throws {
    let key = architecture.key(.slidingWindowPattern)
    guard let value = gguf.metadata[key] else { return }
    let expected = GGUFValue.array((1...layers).map { .bool($0 % period != 0) })
    guard value.int == period || value == expected else {
      throw FireflyError(
        "the model's windows are not supported", at: "\(gguf.path): \(key)",
        expected: "windows in all but every layer number \(period)",
        found: value.int.map(String.init) ?? value.kind)
    }
  }

  /// The ids at which generation starts and stops, and how it samples; `eos_token_id` is a list when a turn or a message has its own
  /// end.
  func generationConfig() throws -> JSONValue {
    let vocabulary = try embeddingShape()[0]
    var config = try tokenIDs(vocabulary: vocabulary)
    config["_from_model_config"] = .bool(true)
    if let end = config["eos_token_id"]?.int {
      var ends = [end]
      for key in ["eot_token_id", "eom_token_id"] {
        if let further = try id(key, vocabulary: vocabulary), !ends.contains(further) { ends.append(further) }
      }
      if ends.count > 1 { config["eos_token_id"] = .array(ends.map(JSONValue.int)) }
    }
    if let ids = gguf.metadata["tokenizer.ggml.suppress_tokens"]?.ints {
      config["suppress_tokens"] = .array(ids.map(JSONValue.int))
    }
    return .object(config.merging(recommendedSampling) { $1 })
  }

  /// The sampling that the file recommends, which llama.cpp follows, in generation_config.json's words. What that has no word for
  /// keeps its name, and is told under it.
  private var recommendedSampling: [String: JSONValue] {
    let words = [
      "temp": "temperature", "top_k": "top_k", "top_p": "top_p", "min_p": "min_p",
      "penalty_repeat": "repetition_penalty",
    ]
    let prefix = "general.sampling."
    let given = gguf.metadata.filter { $0.key.hasPrefix(prefix) }.map { key, value in
      let number = value.int.map { JSONValue.int(max(0, $0)) } ?? value.double.map(JSONValue.double)
      return (
        words[String(key.dropFirst(prefix.count))] ?? key, number ?? .string(value.string ?? value.kind)
      )
    }
    return Dictionary(given) { first, _ in first }
  }

  private func epsilon() throws -> Double {
    let key = architecture.key(architecture.normKey)
    guard let epsilon = try gguf.optionalNumber(key) else {
      throw FireflyError(
        "the metadata lacks a number", at: "\(gguf.path): \(key)", expected: "a number above 0")
    }
    return epsilon
  }

  /// [vocabulary, hidden], checked against the metadata.
  private func embeddingShape() throws -> [Int] {
    guard let info = gguf.tensors.first(where: { $0.name == GGUFNames.headWeight(isTied: true) }) else {
      throw FireflyError("the tensor token_embd.weight is missing", at: gguf.path)
    }
    let tokens = gguf.metadata["tokenizer.ggml.tokens"]?.count
    let expected = try gguf.optionalSize(architecture.key(.vocabularySize)) ?? tokens ?? info.shape[0]
    guard info.shape == [expected, hiddenSize] else {
      throw FireflyError(
        "the tensor's shape and the metadata do not fit together", at: "\(gguf.path): token_embd.weight",
        expected: "[\(expected), \(hiddenSize)]", found: "\(info.shape)")
    }
    return info.shape
  }

  /// The type that holds what the file's matrices are: bfloat16 for quantised ones, as such models were.
  private var weightDType: String {
    let matrices = gguf.tensors.filter { $0.shape.count == 2 }
    if matrices.allSatisfy({ $0.type == .float32 }) { return "float32" }
    return matrices.contains { $0.type == .float16 } ? "float16" : "bfloat16"
  }

  // MARK: - Token ids

  private func tokenIDs(vocabulary: Int) throws -> [String: JSONValue] {
    let keys = [
      "bos_token_id": "bos_token_id", "eos_token_id": "eos_token_id", "pad_token_id": "padding_token_id",
    ]
    return try keys.mapValues { try id($0, vocabulary: vocabulary).map { .int($0) } ?? .null }
  }

  private func id(_ key: String, vocabulary: Int) throws -> Int? {
    guard let value = gguf.metadata["tokenizer.ggml.\(key)"] else { return nil }
    guard let id = value.int, (0..<vocabulary).contains(id) else {
      throw FireflyError(
        "the token id is wrong", at: "\(gguf.path): tokenizer.ggml.\(key)",
        expected: "0 to \(vocabulary - 1)",
        found: value.int.map(String.init) ?? value.kind)
    }
    return id
  }
}
