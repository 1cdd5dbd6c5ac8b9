import FireflyBase

extension TokenizerFile {
  // MARK: - Normalizer

  func normalizer(_ json: TokenizerJSON) throws -> [Normalizer.Step] {
    let type = try json.string("type")
    switch type {
    case "Sequence": return try json.list("normalizers").flatMap(normalizer)
    case "NFC": return [.nfc]
    case "NFD": return [.nfd]
    case "NFKC": return [.nfkc]
    case "NFKD": return [.nfkd]
    case "Lowercase": return [.lowercase]
    case "Strip":
      return [
        .strip(
          left: try json.bool("strip_left", default: true), right: try json.bool("strip_right", default: true)
        )
      ]
    case "Prepend": return [.prepend(Array(try json.string("prepend").utf8))]
    case "Replace":
      return [.replace(try pattern(json.require("pattern")), with: Array(try json.string("content").utf8))]
    default:
      throw json.unsupported(
        "normalizer", type,
        supported: "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend or Replace")
    }
  }

  /// `{"String": …}` or `{"Regex": …}`.
  private func pattern(_ json: TokenizerJSON) throws -> RegularExpression {
    if let literal = json.member("String") {
      return try RegularExpression(literal.string(), literal: true, at: literal.place)
    }
    let regex = try json.require("Regex")
    return try RegularExpression(
      RegularExpressionSyntax.translate(regex.string(), at: regex.place), at: regex.place)
  }

  // MARK: - Pre-tokenizer

  func preTokenizer(_ json: TokenizerJSON) throws -> [PreTokenizer.Step] {
    let type = try json.string("type")
    switch type {
    case "Sequence": return try json.list("pretokenizers").flatMap(preTokenizer)
    case "ByteLevel":
      let prefix: [PreTokenizer.Step] =
        try json.bool("add_prefix_space", default: true) ? [.prefixSpace] : []
      guard try json.bool("use_regex", default: true) else { return prefix }
      let words = try RegularExpressionSyntax.translate(PreTokenizer.gpt2Pattern, at: json.place)
      return prefix + [.isolating(try RegularExpression(words, at: json.place))]
    case "Digits":
      let digits = try json.bool("individual_digits", default: false) ? "\\p{N}" : "\\p{N}+"
      return [.isolating(try RegularExpression(digits, at: json.place))]
    case "Split": return [try split(json)]
    case "Metaspace": return try metaspace(json)
    default:
      throw json.unsupported(
        "pre-tokenizer", type, supported: "Sequence, ByteLevel, Digits, Split or Metaspace")
    }
  }

  private func split(_ json: TokenizerJSON) throws -> PreTokenizer.Step {
    let name = try json.string("behavior")
    guard let behavior = PreTokenizer.SplitBehavior(rawValue: name) else {
      throw json.unsupported(
        "split behavior", name, supported: "Removed, Isolated, Contiguous or MergedWith…")
    }
    return .split(
      try pattern(json.require("pattern")), behavior, inverted: try json.bool("invert", default: false))
  }

  private func metaspace(_ json: TokenizerJSON) throws -> [PreTokenizer.Step] {
    let replacement = try json.string("replacement")
    let scheme =
      try json.member("prepend_scheme")?.string()
      ?? (try json.bool("add_prefix_space", default: true) ? "always" : "never")
    guard let prefix = PreTokenizer.MetaspacePrefix(rawValue: scheme) else {
      throw json.unsupported("prepend scheme", scheme, supported: "always, first or never")
    }
    let step = PreTokenizer.Step.metaspace(replacement: Array(replacement.utf8), prefix)
    guard try json.bool("split", default: true) else { return [step] }
    let cut = try RegularExpression(replacement, literal: true, at: json.place)
    return [step, .split(cut, .mergedWithNext, inverted: false)]
  }

  // MARK: - Decoder

  func decoder(_ json: TokenizerJSON) throws -> TokenDecoder {
    let steps = try decoderSteps(json)
    if steps.contains(where: { $0 == nil }) { return .byteLevel }
    return .steps(steps.compactMap { $0 })
  }

  /// The steps; nil stands for the byte-level decoder.
  private func decoderSteps(_ json: TokenizerJSON) throws -> [TokenDecoder.Step?] {
    let type = try json.string("type")
    switch type {
    case "Sequence": return try json.list("decoders").flatMap(decoderSteps)
    case "ByteLevel": return [nil]
    case "Replace":
      let pattern = try json.require("pattern").string("String")
      return [.replace(Array(pattern.utf8), with: Array(try json.string("content").utf8))]
    case "ByteFallback": return [.byteFallback]
    case "Fuse": return [.fuse]
    case "Strip":
      return [
        .strip(
          content: Array(try json.string("content").utf8), start: try json.int("start", default: 0),
          stop: try json.int("stop", default: 0))
      ]
    case "Metaspace":
      let never = try json.member("prepend_scheme")?.string() == "never"
      return [.metaspace(replacement: Array(try json.string("replacement").utf8), dropsFirst: !never)]
    default:
      throw json.unsupported(
        "decoder", type, supported: "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip or Metaspace")
    }
  }
}

extension PreTokenizer.Step {
  /// Every match is a word of its own.
  static func isolating(_ pattern: RegularExpression) -> PreTokenizer.Step {
    .split(pattern, .isolated, inverted: false)
  }
}
