import FireflyBase
import Foundation

extension Rotary {
  /// Reads `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
  ///
  /// - Parameter turnsPartly: whether the family has `partial_rotary_factor`; otherwise the key is refused.
  init(_ config: KeyReader, headDim: Int, maxPositions: Int, turnsPartly: Bool = false) throws {
    let parameters = try Rotary.parameters(config)
    if let key = parameters?.keys.first(where: { parameters?.value($0)?.object != nil }) {
      throw FireflyError(
        "rotary positions that differ from layer to layer are not supported in this family",
        at: "\(config.source): \(key)")
    }
    try self.init(
      config, parameters, headDim: headDim, theta: config.float("rope_theta", default: 10_000),
      turnsPartly: turnsPartly, original: Rotary.originalLength(config, parameters, maxPositions),
      maxPositions: maxPositions)
  }

  /// - Parameters:
  ///   - theta: the base where `parameters` has none.
  ///   - original: the length that the model was made for before it was stretched.
  private init(
    _ config: KeyReader, _ parameters: KeyReader?, headDim: Int, theta: Float, turnsPartly: Bool,
    original: Float, maxPositions: Int
  ) throws {
    let theta = try parameters?.float("rope_theta", default: theta) ?? theta
    guard theta > 1 else {
      throw FireflyError("must be above 1", at: "\(config.source): rope_theta", found: "\(theta)")
    }
    let dimensions = try Rotary.dimensions(config, parameters, headDim: headDim, turnsPartly: turnsPartly)
    let scaling = try parameters.map { try Rotary.scaling($0, dimensions, original, maxPositions) } ?? .none
    self.init(theta: theta, dimensions: dimensions, scaling: scaling)
  }

  /// The object that says how positions turn: where there are both, `rope_scaling` stands in place of `rope_parameters`, as
  /// in transformers 5. What it does not say is said by keys of config.json itself.
  static func parameters(_ config: KeyReader) throws -> KeyReader? {
    let scaling = config.value("rope_scaling")
    let isGiven = config.has("rope_parameters") ? scaling != nil && scaling != .object([:]) : true
    return try config.object(isGiven ? "rope_scaling" : "rope_parameters")
  }

  /// The same, of a family whose class does not go without.
  @discardableResult
  static func requireParameters(_ config: KeyReader) throws -> KeyReader {
    if let parameters = try parameters(config) { return parameters }
    throw FireflyError("missing key", at: "\(config.source): rope_parameters", expected: "an object")
  }

  /// `original_max_position_embeddings`; as in transformers, config.json's own key stands before that of the object that says
  /// how positions turn.
  static func originalLength(
    _ config: KeyReader, _ parameters: KeyReader?, _ maxPositions: Int
  ) throws -> Float {
    let place = config.has(originalLengthKey) ? config : parameters
    return try place.map { try originalLength($0, maxPositions) } ?? Float(maxPositions)
  }

  private static let originalLengthKey = "original_max_position_embeddings"

  private static func originalLength(_ place: KeyReader, _ maxPositions: Int) throws -> Float {
    let length = try place.float(originalLengthKey, default: Float(maxPositions))
    guard length > 1 else {
      throw FireflyError(
        "must be above 1", at: "\(place.source): \(originalLengthKey)", found: "\(length)")
    }
    return length
  }

  /// The rotations of layers without a window and of those with one: an object for each in `rope_parameters`
  /// (transformers 5), or `rope_theta` and `rope_scaling` for the first and a base of its own for the second. What
  /// `rope_parameters` says without such objects counts for neither, as in transformers.
  ///
  /// - Parameters:
  ///   - theta: the base of the first where config.json has none.
  ///   - windowedTheta: that of the second, which no scaling stretches.
  static func byWindow(
    _ config: KeyReader, headDim: Int, maxPositions: Int, theta: Float, windowedTheta: Float
  ) throws -> (full: Rotary, windowed: Rotary) {
    let outer = try config.float("rope_theta", default: theta)
    func rotary(_ parameters: KeyReader?, _ theta: Float) throws -> Rotary {
      // transformers looks for it outside of these objects.
      try parameters?.refuse("truncate", unless: [.bool(true)])
      return try Rotary(
        config, parameters, headDim: headDim, theta: theta, turnsPartly: false,
        original: parameters.map { try originalLength($0, maxPositions) } ?? Float(maxPositions),
        maxPositions: maxPositions)
    }
    let nested = try config.object("rope_parameters")
    let full = try nested?.object("full_attention")
    guard let nested, full != nil || nested.has("sliding_attention") else {
      let scaling = try config.object("rope_scaling")
      // transformers 5 goes by the new name alone.
      if scaling?.has("rope_type") == false { try scaling?.refuse("type", unless: [.string("default")]) }
      return (try rotary(scaling, outer), try rotary(nil, windowedTheta))
    }
    try config.refuse("rope_scaling", unless: [.object([:])])
    return (try rotary(full, outer), try rotary(nested.object("sliding_attention"), windowedTheta))
  }

  private static func dimensions(
    _ config: KeyReader, _ parameters: KeyReader?, headDim: Int, turnsPartly: Bool
  ) throws -> Int {
    let key = "partial_rotary_factor"
    let place = parameters?.has(key) == true ? parameters ?? config : config
    if !turnsPartly { try place.refuse(key, unless: [.int(1), .double(1)]) }
    let share = try place.float(key, default: 1)
    guard share > 0 && share <= 1 else {
      throw FireflyError(
        "out of range", at: "\(place.source): \(key)", expected: "above 0, at most 1", found: "\(share)")
    }
    let dimensions = Int(Float(headDim) * share)
    guard dimensions % 2 == 0 else {
      throw FireflyError(
        "must give an even part of a head", at: "\(place.source): \(key)",
        found: "\(dimensions) of \(headDim)")
    }
    return dimensions
  }

  private static func scaling(
    _ config: KeyReader, _ dimensions: Int, _ original: Float, _ maxPositions: Int
  ) throws -> Scaling {
    config.pass(originalLengthKey)
    let type = try config.string("rope_type", default: config.string("type", default: "default"))
    switch type {
    case "default": return .none
    case "linear": return .linear(factor: try factor(config))
    case "dynamic": return .dynamic(factor: try factor(config), limit: Float(maxPositions))
    case "llama3":
      return .llama3(
        factor: try factor(config), low: try config.float("low_freq_factor"),
        high: try config.float("high_freq_factor"), original: original)
    case "yarn": return try yarn(config, original)
    case "longrope", "su": return try longRoPE(config, dimensions, original, maxPositions)
    default:
      throw FireflyError(
        "unsupported rotary scaling", at: "\(config.source): rope_type",
        expected: "default, linear, dynamic, llama3, yarn or longrope", found: type)
    }
  }

  private static func yarn(_ config: KeyReader, _ original: Float) throws -> Scaling {
    let factor = try factor(config)
    return .yarn(
      factor: factor, fast: try config.float("beta_fast", default: 32),
      slow: try config.float("beta_slow", default: 1), original: original,
      attention: try config.float("attention_factor", default: yarnAttention(config, factor)),
      // null is false to Python.
      rounds: try config.bool("truncate", default: !config.isWritten("truncate")))
  }

  /// What cosine and sine are multiplied by where config.json does not say it itself: the ratio of `mscale` and
  /// `mscale_all_dim` where it has both, as transformers.
  private static func yarnAttention(_ config: KeyReader, _ factor: Float) throws -> Float {
    let scales = try ["mscale", "mscale_all_dim"].map { try config.float($0, default: 0) }
    guard scales.allSatisfy({ $0 != 0 }) else { return yarnScale(factor, 1) }
    return yarnScale(factor, scales[0]) / yarnScale(factor, scales[1])
  }

  /// YaRN's correction for sequences `factor` times as long: 0.1·m·ln(factor) + 1, and 1 for those that are not longer.
  static func yarnScale(_ factor: Float, _ m: Float) -> Float {
    factor > 1 ? 0.1 * m * logf(factor) + 1 : 1
  }

  private static func longRoPE(
    _ config: KeyReader, _ dimensions: Int, _ original: Float, _ maxPositions: Int
  ) throws -> Scaling {
    func factors(_ key: String) throws -> [Float] {
      let factors = try config.floats(key)
      guard factors.count == dimensions / 2 && factors.allSatisfy({ $0 > 0 }) else {
        throw FireflyError(
          "wrong factors", at: "\(config.source): \(key)", expected: "\(dimensions / 2) positive numbers",
          found: "\(factors.count)")
      }
      return factors
    }
    let factor = try config.float("factor", default: Float(maxPositions) / original)
    let attention = factor > 1 ? (1 + logf(factor) / logf(original)).squareRoot() : 1
    return .long(
      short: try factors("short_factor"), long: try factors("long_factor"), original: original,
      attention: try config.float("attention_factor", default: attention))
  }

  private static func factor(_ config: KeyReader) throws -> Float {
    let factor = try config.float("factor")
    guard factor > 0 else {
      throw FireflyError("must be positive", at: "\(config.source): factor", found: "\(factor)")
    }
    return factor
  }
}

extension Architecture {
  /// The object of config.json that says how positions turn: `rope_scaling` or `rope_parameters`, whichever counts.
  package static func rotaryParameters(of config: JSONValue) -> JSONValue? {
    let keys = KeyReader(config, source: "")
    let parameters = (try? Rotary.parameters(keys)).flatMap { $0?.document }
    // Where layers with a window have their own, that of the others.
    return parameters?["full_attention"] ?? parameters
  }
}
