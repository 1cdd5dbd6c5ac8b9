import FireflyBase

/// Gemma 3 (Gemma Team, 2025), its text part: Gemma 2 with norms of queries and keys in place of caps, five layers with a
/// window to one without, and angles of their own in each kind.
enum Gemma3 {
  static let defaults = Gemma2.shared.merging(["max_position_embeddings": 131_072]) { $1 }

  static func architecture(_ config: KeyReader) throws -> Architecture {
    // transformers has the key and does nothing with it.
    try config.refuse("attn_logit_softcapping", unless: [])
    var windowed: Rotary?
    var architecture = try Gemma2.decoder(config) { headDim, maxPositions in
      let rotaries = try Rotary.byWindow(
        config, headDim: headDim, maxPositions: maxPositions, theta: 1_000_000,
        windowedTheta: config.float("rope_local_base_freq", default: 10_000))
      windowed = rotaries.windowed
      return rotaries.full
    }
    architecture.windowedRotary = windowed
    architecture.headNorm = HeadNorm()
    // transformers writes the other name, beside `layer_types`, and does not read it.
    config.pass("_sliding_window_pattern")
    let pattern = try config.positive("sliding_window_pattern", default: 6)
    try architecture.setWindow(config, followsTypes: true) { ($0 + 1) % pattern != 0 }
    return architecture
  }
}
