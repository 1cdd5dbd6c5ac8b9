import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights

/// What llama.cpp takes for granted of a kind.
extension GGUFModel {
  /// Refuses a model that has it otherwise.
  func checkGiven() throws {
    try checkWindows()
    try checkPositions()
    try checkSizes()
    try checkExperts()
  }

  private func require(_ holds: Bool, _ key: String, expected: String) throws {
    guard holds else {
      throw FireflyError(
        "the exported file would lose this", at: "\(place): \(key)", expected: expected,
        found: source.config[key]?.text() ?? "none")
    }
  }

  private func checkWindows() throws {
    let (a, given) = (architecture, kind.given)
    if let period = given.windowPeriod {
      let windowed = Set((0..<a.layers).filter { ($0 + 1) % period != 0 })
      try require(
        a.window != nil && a.windowedLayers == windowed, "layer_types",
        expected: "windows in all but every layer number \(period)")
    }
    if let theta = given.windowedTheta {
      let usual = a.windowedRotary.map { $0.scaling == .none && Double($0.theta) == theta } ?? true
      try require(usual, "rope_local_base_freq", expected: "\(theta)")
    } else if let windowed = a.windowedRotary {
      let isUsual = windowed.scaling == .none && windowed.theta == a.rotary?.theta
      try require(isUsual, "rope_theta", expected: "\(windowed.theta)")
    }
  }

  private func checkPositions() throws {
    let (a, given) = (architecture, kind.given)
    let turning = given.unturnedPeriod.map { period in Set((0..<a.layers).filter { ($0 + 1) % period == 0 }) }
    try require(
      a.unturnedLayers == turning ?? [], "no_rope_layers",
      expected: given.unturnedPeriod.map { "0 in every layer number \($0), 1 in the others" } ?? "none")
    try require(
      given.hasALiBi == (a.rotary == nil) && given.layersWithALiBi ?? a.layers == a.layers,
      "num_hidden_layers",
      expected: given.layersWithALiBi.map { "\($0), by which llama.cpp knows ALiBi" } ?? "rotary positions")
    if a.rotary?.queryGrowth != nil {
      let isYaRN = if case .yarn = a.rotary?.scaling { true } else { false }
      try require(given.growsQueries && isYaRN, "rope_parameters", expected: "no llama_4_scaling_beta")
    }
    guard let latent = a.latent else { return }
    try require(latent.normEpsilon == a.normEpsilon, "rms_norm_eps", expected: "\(latent.normEpsilon)")
    let hasOneScale = rope?["mscale"]?.double == rope?["mscale_all_dim"]?.double
    try require(hasOneScale, "rope_scaling", expected: "mscale as mscale_all_dim")
  }

  private func checkSizes() throws {
    let (a, given) = (architecture, kind.given)
    if let (name, ofLarge) = given.scoreScalar {
      let scalar = a.layers == ofLarge ? a.hiddenSize / a.heads : a.headDim
      try require(source.config[name]?.int == scalar, name, expected: "\(scalar)")
    }
    // Without the numbers llama.cpp takes its own.
    if kind.numbers.contains(where: { $0.key == .scoreCap }) {
      try require(a.scoreCap != nil, "attn_logit_softcapping", expected: "a number")
      try require(a.logitCap != nil, "final_logit_softcapping", expected: "a number")
    }
    for (name, value) in given.constants.sorted(by: { $0.key < $1.key }) {
      try require(source.config[name]?.double == value, name, expected: "\(value)")
    }
    if let isTied = given.isTied {
      try require(a.tiedHead == isTied, "tie_word_embeddings", expected: "\(isTied)")
    }
    if given.headsFillHidden {
      try require(a.heads * a.headDim == a.hiddenSize, "head_dim", expected: "\(a.hiddenSize / a.heads)")
    }
    if given.needsBiases {
      try require(a.queryKeyValueBias && a.outputBias, "attention_bias", expected: "true")
    }
    if given.hasFewBiases {
      try require(
        !a.outputBias && !a.feedForwardBias, "bias", expected: "biases on queries, keys and values alone")
    }
  }

  private func checkExperts() throws {
    guard let experts = kind.experts else { return }
    let a = architecture
    let first = experts.firstLayer == nil ? 0 : a.experts?.layers.first ?? 0
    try require(
      (0..<a.layers).allSatisfy { a.experts?.layers.contains($0) == ($0 >= first) }, "decoder_sparse_step",
      expected: "experts in every layer")
    try require(
      a.experts?.normalizesWeights == experts.normalizesWeights, "norm_topk_prob",
      expected: "\(experts.normalizesWeights)")
    try require(a.experts?.groups == nil, "topk_method", expected: "greedy")
    if experts.sharedCount != nil {
      try require(a.experts?.sharedSize != nil, "n_shared_experts", expected: "a whole number from 1")
    }
  }
}
