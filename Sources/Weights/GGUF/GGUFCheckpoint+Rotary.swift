import FireflyBase
import FireflyTensors

/// How a GGUF file's positions are scaled.
extension GGUFCheckpoint {
  /// transformers' rope_scaling; nil when positions are not scaled.
  func ropeScaling(theta: Double) throws -> [String: JSONValue]? {
    if let scaling = try longScaling() { return scaling }
    let key = architecture.key(.scalingType)
    let factor =
      try gguf.optionalNumber(architecture.key(.scalingFactor))
      ?? gguf.optionalNumber(architecture.key(.linearScale))
    // A factor alone is linear.
    let type = gguf.metadata[key]?.string ?? ((factor ?? 1) == 1 ? "none" : "linear")
    if gguf.has(Llama3Rope.tensorName) {
      guard type == "none" else {
        throw unsupportedScaling("\(type) together with \(Llama3Rope.tensorName)")
      }
      return try llama3Scaling(theta: theta)
    }
    switch type {
    case "none": return nil
    case "linear", "yarn":
      guard let factor else { throw unsupportedScaling("\(type) without a factor") }
      var scaling: [String: JSONValue] = ["rope_type": .string(type), "factor": .double(factor)]
      if type == "yarn" { scaling.merge(try yarnOptions(factor)) { $1 } }
      return scaling
    default: throw unsupportedScaling(type)
    }
  }

  private func yarnOptions(_ factor: Double) throws -> [String: JSONValue] {
    var options: [String: JSONValue] = [:]
    if architecture.given.hasExactYarn { options["truncate"] = .bool(false) }
    if let length = try gguf.optionalSize(architecture.key(.originalContextLength)) {
      options["original_max_position_embeddings"] = .int(length)
    }
    if let number = try gguf.optionalNumber(architecture.key(.attentionFactor)) {
      options["attention_factor"] = .double(number * GGUFKey.usualAttentionFactor(factor))
    }
    for (key, name) in GGUFKey.yarnOptions {
      if let number = try gguf.optionalNumber(architecture.key(key)) { options[name] = .double(number) }
    }
    guard architecture.given.growsQueries else { return options }
    if let beta = try gguf.optionalNumber(architecture.key(.temperatureScale)) {
      options["llama_4_scaling_beta"] = .double(beta)
    }
    if let scale = try gguf.optionalNumber(architecture.key(.yarnLogFactor)) {
      options["mscale"] = .double(1)
      options["mscale_all_dim"] = .double(scale)
    }
    return options
  }

  /// llama.cpp keeps the result of Llama 3's rule, a divisor for each frequency, and not the rule. It is taken back from
  /// them where it gives the same numbers.
  private func llama3Scaling(theta: Double) throws -> [String: JSONValue] {
    let name = Llama3Rope.tensorName
    guard let info = gguf.tensors.first(where: { $0.name == name }) else { return [:] }
    guard info.type == .float32, info.shape == [headDim / 2] else {
      throw FireflyError(
        "the rotary factors have a wrong shape", at: "\(gguf.path): \(name)",
        expected: "F32 [\(headDim / 2)]",
        found: "\(info.type) \(info.shape)")
    }
    let stored = try gguf.stored(info).tensor(as: .float32).floats
    let rule = Llama3Rope(divisors: stored.map(Double.init), theta: theta, headDim: headDim)
    guard zip(stored, rule.divisors).allSatisfy({ abs(Double($0) - $1) <= 1e-4 * $1 }) else {
      throw unsupportedScaling("\(name) that do not follow Llama 3's rule")
    }
    return [
      "rope_type": .string("llama3"), "factor": .double(rule.factor),
      "low_freq_factor": .double(rule.low), "high_freq_factor": .double(rule.high),
      "original_max_position_embeddings": .int(Int(rule.originalLength)),
    ]
  }

  func unsupportedScaling(_ found: String) -> FireflyError {
    FireflyError(
      "the rotary scaling is not supported", at: "\(gguf.path): \(architecture.key(.scalingType))",
      expected: "none, linear, yarn, or Llama 3's factors", found: found)
  }

  /// transformers' rope_scaling; nil where the file has no such factors.
  private func longScaling() throws -> [String: JSONValue]? {
    guard architecture.given.hasLongFactors, LongRope.tensorNames.contains(where: gguf.has) else {
      return nil
    }
    let contextLength = try gguf.size(architecture.key(.contextLength))
    let original = try gguf.optionalSize(architecture.key(.originalContextLength)) ?? contextLength
    return [
      "rope_type": .string("longrope"), "original_max_position_embeddings": .int(original),
      "short_factor": .array(try factors(LongRope.short)), "long_factor": .array(try factors(LongRope.long)),
    ]
  }

  private func factors(_ name: String) throws -> [JSONValue] {
    let count = try rotaryDimensions() / 2
    guard let info = gguf.tensors.first(where: { $0.name == name }), info.type == .float32,
      info.shape == [count]
    else {
      throw FireflyError(
        "the rotary factors have a wrong shape", at: "\(gguf.path): \(name)", expected: "F32 [\(count)]",
        found: gguf.tensors.first { $0.name == name }.map { "\($0.type) \($0.shape)" } ?? "none")
    }
    return try gguf.stored(info).tensor(as: .float32).floats.map { .double(Double($0)) }
  }
}
