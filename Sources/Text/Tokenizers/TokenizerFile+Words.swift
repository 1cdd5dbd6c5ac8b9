import FireflyBase
import Foundation

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
    case "StripAccents": return [.stripAccents]
    case "Nmt": return [.nmt]
    case "ByteLevel": return [.byteAlphabet]
    case "Strip":
      let left = try json.bool("strip_left", default: true)
      return [.strip(left: left, right: try json.bool("strip_right", default: true))]
    case "Prepend": return [.prepend(Array(try json.string("prepend").utf8))]
    case "Replace":
      return [.replace(try pattern(json.require("pattern")), with: Array(try json.string("content").utf8))]
    case "Precompiled": return try precompiled(json)
    case "BertNormalizer": return [.bert(try bertNormalizer(json))]
    default:
      throw json.unsupported(
        "normalizer", type,
        supported: "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, "
          + "Precompiled, Nmt, BertNormalizer or ByteLevel")
    }
  }

  private func precompiled(_ json: TokenizerJSON) throws -> [Normalizer.Step] {
    let text = try json.member("precompiled_charsmap")?.string() ?? ""
    guard !text.isEmpty else { return [] }
    guard let data = Data(base64Encoded: text) else {
      throw FireflyError("not base64", at: "\(json.place).precompiled_charsmap")
    }
    return [.map(try data.withUnsafeBytes { try CharacterMap($0, at: json.place) })]
  }

  private func bertNormalizer(_ json: TokenizerJSON) throws -> BertNormalizer {
    let lowercases = try json.bool("lowercase", default: true)
    return BertNormalizer(
      cleansText: try json.bool("clean_text", default: true),
      spacesChinese: try json.bool("handle_chinese_chars", default: true),
      stripsAccents: try json.bool("strip_accents", default: lowercases), lowercases: lowercases)
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

  /// The steps that cut a text into words, and how the words are spelt then.
  /// - Parameter canReadBytes: whether the model takes words as bytes, so that they need not be spelt.
  func wordSteps(canReadBytes: Bool) throws -> (steps: [PreTokenizer.Step], spelling: Spelling) {
    let parts = try root.member("pre_tokenizer").map { try flattened($0, "pretokenizers") } ?? []
    let normalizes = try root.member("normalizer").map { try flattened($0, "normalizers") } ?? []
    var steps: [PreTokenizer.Step] = []
    var spelling =
      try normalizes.contains { try $0.string("type") == "ByteLevel" } ? Spelling.byteAlphabet : .characters
    for (index, part) in parts.enumerated() {
      steps += try preTokenizer(part)
      guard try part.string("type") == "ByteLevel" else { continue }
      // What follows would look at the spelling.
      let isLast = index == parts.count - 1 && canReadBytes && spelling == .characters
      if !isLast { steps.append(.byteAlphabet) }
      spelling = isLast ? .bytes : .byteAlphabet
    }
    return (steps, spelling)
  }

  /// The steps of a Sequence, or of the Sequences in it.
  private func flattened(_ json: TokenizerJSON, _ key: String) throws -> [TokenizerJSON] {
    try json.string("type") == "Sequence" ? json.list(key).flatMap { try flattened($0, key) } : [json]
  }

  private func preTokenizer(_ json: TokenizerJSON) throws -> [PreTokenizer.Step] {
    let type = try json.string("type")
    switch type {
    case "ByteLevel":
      let prefix: [PreTokenizer.Step] =
        try json.bool("add_prefix_space", default: true) ? [.prefixSpace] : []
      guard try json.bool("use_regex", default: true) else { return prefix }
      return prefix + [
        .isolating(try RegularExpression(tokenizers: PreTokenizer.gpt2Pattern, at: json.place))
      ]
    case "Digits":
      let digits = try json.bool("individual_digits", default: false) ? "\\p{N}" : "\\p{N}+"
      return [.isolating(try RegularExpression(digits, at: json.place))]
    case "Split": return [try split(json)]
    case "Metaspace": return try metaspace(json)
    case "Whitespace":
      let words = try RegularExpression(tokenizers: PreTokenizer.whitespacePattern, at: json.place)
      return [.split(words, .removed, inverted: true)]
    case "WhitespaceSplit": return [try withoutSpaces(json)]
    case "BertPreTokenizer":
      return [
        try withoutSpaces(json), .isolating(try RegularExpression(PreTokenizer.punctuation, at: json.place)),
      ]
    case "Punctuation":
      let behavior = try behavior(json, default: .isolated)
      return [
        .split(try RegularExpression(PreTokenizer.punctuation, at: json.place), behavior, inverted: false)
      ]
    case "CharDelimiterSplit":
      let delimiter = try RegularExpression(json.string("delimiter"), literal: true, at: json.place)
      return [.split(delimiter, .removed, inverted: false)]
    case "FixedLength":
      let length = try json.int("length", default: 5)
      guard (1...65535).contains(length) else {
        throw FireflyError("length out of range", at: json.place, expected: "1…65535", found: "\(length)")
      }
      return [.isolating(try RegularExpression("(?s).{1,\(length)}", at: json.place))]
    default:
      throw json.unsupported(
        "pre-tokenizer", type,
        supported: "Sequence, ByteLevel, Digits, Split, Metaspace, Whitespace, WhitespaceSplit, Punctuation, "
          + "BertPreTokenizer, CharDelimiterSplit or FixedLength")
    }
  }

  private func withoutSpaces(_ json: TokenizerJSON) throws -> PreTokenizer.Step {
    .split(try RegularExpression(tokenizers: "\\s", at: json.place), .removed, inverted: false)
  }

  private func behavior(
    _ json: TokenizerJSON, default standard: PreTokenizer.SplitBehavior? = nil
  ) throws -> PreTokenizer.SplitBehavior {
    if let standard, json.member("behavior") == nil { return standard }
    let name = try json.string("behavior")
    guard let behavior = PreTokenizer.SplitBehavior(rawValue: name) else {
      throw json.unsupported(
        "split behavior", name, supported: "Removed, Isolated, Contiguous or MergedWith…")
    }
    return behavior
  }

  private func split(_ json: TokenizerJSON) throws -> PreTokenizer.Step {
    .split(
      try pattern(json.require("pattern")), try behavior(json),
      inverted: try json.bool("invert", default: false))
  }

  private func metaspace(_ json: TokenizerJSON) throws -> [PreTokenizer.Step] {
    let replacement = try json.string("replacement")
    let step = PreTokenizer.Step.metaspace(
      replacement: Array(replacement.utf8), try metaspacePrefix(json))
    guard try json.bool("split", default: true) else { return [step] }
    let cut = try RegularExpression(replacement, literal: true, at: json.place)
    return [step, .split(cut, .mergedWithNext, inverted: false)]
  }

  /// `prepend_scheme`, or the older `add_prefix_space`, which wins where it says no.
  private func metaspacePrefix(_ json: TokenizerJSON) throws -> PreTokenizer.MetaspacePrefix {
    let scheme = try json.member("prepend_scheme")?.string() ?? "always"
    guard let prefix = PreTokenizer.MetaspacePrefix(rawValue: scheme) else {
      throw json.unsupported("prepend scheme", scheme, supported: "always, first or never")
    }
    return try json.bool("add_prefix_space", default: true) ? prefix : .never
  }

  // MARK: - Decoder

  func decoder(_ json: TokenizerJSON) throws -> TokenDecoder {
    let parts = try flattened(json, "decoders")
    let names = try parts.map { try $0.string("type") }
    guard names.contains("ByteLevel") else { return .steps(try parts.map(decoderStep)) }
    if let other = zip(names, ["ByteLevel"] + names.dropFirst().map { _ in "Fuse" }).first(where: !=)?.0 {
      throw json.unsupported("decoder beside ByteLevel", other, supported: "ByteLevel, and Fuse behind it")
    }
    return .byteLevel
  }

  private func decoderStep(_ json: TokenizerJSON) throws -> DecodingStep {
    let type = try json.string("type")
    switch type {
    case "Replace":
      let pattern = try json.require("pattern").string("String")
      guard !pattern.isEmpty else { throw FireflyError("the pattern is empty", at: json.place) }
      return .replace(Array(pattern.utf8), with: Array(try json.string("content").utf8))
    case "ByteFallback": return .byteFallback
    case "Fuse": return .fuse
    case "Strip":
      let content = Array(try json.string("content").utf8)
      guard !content.isEmpty else { throw FireflyError("the content is empty", at: json.place) }
      return .strip(
        content: content, start: try json.int("start", default: 0), stop: try json.int("stop", default: 0))
    case "Metaspace":
      let prefix = try metaspacePrefix(json)
      return .metaspace(replacement: Array(try json.string("replacement").utf8), dropsFirst: prefix != .never)
    case "WordPiece":
      return .wordPiece(
        prefix: Array(try json.string("prefix").utf8), cleansUp: try json.bool("cleanup", default: true))
    case "BPEDecoder": return .wordSuffix(Array(try json.string("suffix").utf8))
    default:
      throw json.unsupported(
        "decoder", type,
        supported:
          "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece or BPEDecoder")
    }
  }
}

extension PreTokenizer {
  /// Words and runs of signs; word characters are Rust's, not Oniguruma's.
  static let whitespacePattern = "[\(word)]+|[^\(word)\\s]+"
  private static let word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}"
  /// ASCII's signs and Unicode's punctuation.
  static let punctuation = "[!-/:-@\\[-`{-~\\p{P}]"
}

extension PreTokenizer.Step {
  /// Every match is a word of its own.
  static func isolating(_ pattern: RegularExpression) -> PreTokenizer.Step {
    .split(pattern, .isolated, inverted: false)
  }
}

extension RegularExpression {
  /// - Parameter tokenizers: a pattern in the syntax of tokenizer.json.
  convenience init(tokenizers pattern: String, at place: String) throws {
    try self.init(RegularExpressionSyntax.translate(pattern, at: place), at: place)
  }
}
