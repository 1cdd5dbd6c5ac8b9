import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights

/// How positions are scaled, in the metadata and in tensors of divisors.
extension GGUFModel {
  /// What the model itself is read from, so that the file says the same.
  var rope: JSONValue? { Architecture.rotaryParameters(of: source.config) }

  private var scalingType: String { rope?["rope_type"]?.string ?? rope?["type"]?.string ?? "default" }

  private var betas: String {
    ["beta_fast", "beta_slow"].map { rope?[$0]?.text() ?? "none" }.joined(separator: ", ")
  }

  func scaling() throws -> [(key: String, value: GGUFWriter.Value)] {
    switch architecture.rotary?.scaling ?? .none {
    case .none: return []
    case .llama3 where kind.takesLlama3Factors: return []
    case .linear(let factor):
      return [
        (kind.key(.scalingType), .string("linear")), (kind.key(.scalingFactor), .float32(factor)),
      ]
    case .yarn(let factor, _, _, let original, let attention, let rounds):
      // The files do not say it; who reads them takes it from the architecture.
      guard rounds != kind.given.hasExactYarn else {
        throw FireflyError(
          "the exported file would lose this rotary scaling", at: "\(place): truncate",
          expected: "\(!rounds)", found: "\(rounds)")
      }
      guard kind.given.takesYarnRamp || architecture.rotary?.hasUsualRamp == true else {
        throw FireflyError(
          "the exported file would lose this rotary scaling", at: "\(place): beta_fast, beta_slow",
          expected: "32 and 1, which llama.cpp takes whatever the file says", found: betas)
      }
      return try yarn(factor: Double(factor), original: Int(original), attention: Double(attention))
    case .long(let short, let long, let original, let attention)
    where kind.given.hasLongFactors && short == long:
      return [
        (kind.key(.originalContextLength), .uint32(Int(original))),
        (kind.key(.attentionFactor), .float32(attention)),
      ]
    case .dynamic, .llama3, .long:
      throw FireflyError(
        "the exported file would lose this rotary scaling", at: "\(place): rope_type",
        expected: kind.takesLlama3Factors ? "default, linear, yarn or llama3" : "default, linear or yarn",
        found: scalingType)
    }
  }

  /// - Parameters:
  ///   - factor: how many times longer texts may be.
  ///   - original: the length that the model was made for.
  ///   - attention: what cosine and sine are multiplied by.
  private func yarn(
    factor: Double, original: Int, attention: Double
  ) throws -> [(key: String, value: GGUFWriter.Value)] {
    var pairs: [(key: String, value: GGUFWriter.Value)] = [
      (kind.key(.scalingType), .string("yarn")),
      (kind.key(.scalingFactor), .float32(Float(factor))),
    ]
    pairs.append((kind.key(.originalContextLength), .uint32(original)))
    for (key, name) in GGUFKey.yarnOptions where rope?[name] != nil {
      pairs.append((kind.key(key), .float32(Float(try number(name)))))
    }
    if architecture.latent != nil {
      pairs.append((kind.key(.yarnLogFactor), .float32(Float(0.1 * (try number("mscale_all_dim"))))))
    }
    if let growth = architecture.rotary?.queryGrowth {
      pairs.append((kind.key(.temperatureScale), .float32(growth.beta)))
    }
    // Of latent attention llama.cpp has taken it from the number before.
    let usual = architecture.latent == nil ? GGUFKey.usualAttentionFactor(factor) : 1
    let share = (rope?["attention_factor"]?.double ?? attention) / usual
    if abs(share - 1) > 1e-6 { pairs.append((kind.key(.attentionFactor), .float32(Float(share)))) }
    return pairs
  }

  private func number(_ key: String) throws -> Double {
    guard let number = rope?[key]?.double, number.isFinite, number > 0 else {
      throw FireflyError("wrong value", at: "\(place): rope scaling's \(key)", expected: "a number above 0")
    }
    return number
  }

  /// Llama 3's scaling and LongRoPE's are kept as a divisor for each frequency.
  func frequencyFactors() -> [GGUFWriter.Item] {
    switch architecture.rotary?.scaling {
    case .llama3(let factor, let low, let high, let original):
      let rule = Llama3Rope(
        factor: Double(factor), low: Double(low), high: Double(high), originalLength: Double(original),
        theta: Double(architecture.rotary?.theta ?? 10_000), headDim: architecture.headDim)
      return [GGUFModel.item(Llama3Rope.tensorName, rule.divisors.map { Float($0) })]
    case .long(let short, let long, _, _):
      return [GGUFModel.item(LongRope.long, long), GGUFModel.item(LongRope.short, short)]
    default: return []
    }
  }

  private static func item(_ name: String, _ divisors: [Float]) -> GGUFWriter.Item {
    GGUFWriter.Item(name: name, shape: [divisors.count], type: .float32) {
      Tensor(divisors, [divisors.count])
    }
  }
}
