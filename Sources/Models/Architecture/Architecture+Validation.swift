import FireflyBase

extension Architecture {
  /// - Throws: `FireflyError` for sizes that cannot be, naming the file.
  func validate(_ source: String) throws {
    func require(_ holds: Bool, _ what: String, _ found: String) throws {
      guard holds else { throw FireflyError(what, at: source, found: found) }
    }
    let sizes = [vocabularySize, hiddenSize, layers, heads, keyValueHeads, headDim, intermediateSize]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 }, "sizes must be positive and below 2^24", "\(sizes)")
    try require(layers <= 4096, "a model may have 4096 layers", "\(layers)")
    try require(
      heads % keyValueHeads == 0, "the attention heads must be a multiple of the key-value heads",
      "\(heads) and \(keyValueHeads)")
    let turning = latent?.rotaryDim ?? headDim
    try require(turning % 2 == 0, "the size of a head must be even", "\(turning)")
    if let latent { try validate(latent, require) }
    try require(maxPositions > 0, "the number of positions must be positive", "\(maxPositions)")
    if let window { try require(window > 0, "sliding_window must be positive", "\(window)") }
    try require(normEpsilon > 0, "the norm's epsilon must be positive", "\(normEpsilon)")
    if let experts { try validate(experts, require) }
    for scale in [embeddingScale, residualScale, logitScale, scoreScale, scoreCap, logitCap].compactMap({ $0 }
    ) {
      try require(scale.isFinite && scale > 0, "a scale must be positive", "\(scale)")
    }
  }

  private func validate(
    _ latent: LatentHeads, _ require: (Bool, String, String) throws -> Void
  ) throws {
    let sizes = [
      latent.queryRank ?? 1, latent.keyValueRank, latent.plainDim, latent.rotaryDim, latent.valueDim,
    ]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 },
      "the sizes of latent attention must be positive and below 2^24",
      "\(sizes)")
  }

  private func validate(
    _ experts: Experts, _ require: (Bool, String, String) throws -> Void
  ) throws {
    let sizes = [experts.intermediateSize, experts.sharedSize ?? 1]
    try require(
      sizes.allSatisfy { $0 > 0 && $0 <= 1 << 24 }, "the experts' sizes must be positive and below 2^24",
      "\(sizes)")
    try require(
      experts.count > 0 && experts.count <= 4096, "there must be 1 to 4096 experts", "\(experts.count)")
    try require(
      experts.perRow > 0 && experts.perRow <= experts.count,
      "a row can go to 1 to all of the experts", "\(experts.perRow) of \(experts.count)")
    if let groups = experts.groups {
      try require(
        groups.count > 0 && experts.count % groups.count == 0 && groups.chosen > 0
          && groups.chosen <= groups.count,
        "the experts must fall into equal groups, of which a row can go to 1 to all",
        "\(experts.count) experts, \(groups.chosen) of \(groups.count) groups")
      try require(
        experts.perRow <= groups.chosen * (experts.count / groups.count),
        "the chosen groups must have as many experts as a row goes through",
        "\(experts.perRow) of \(groups.chosen) groups of \(experts.count / groups.count)")
    }
    try require(
      experts.scale.isFinite && experts.scale > 0, "the experts' scale must be positive", "\(experts.scale)")
    try require(
      experts.balance.coefficient.isFinite && experts.balance.coefficient >= 0,
      "the auxiliary loss's coefficient must not be negative", "\(experts.balance.coefficient)")
  }
}
