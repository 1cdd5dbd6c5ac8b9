import FireflyBase

/// A tokenizer as Hugging Face's `tokenizers` runs them: added tokens are cut out, the rest is normalised, cut
/// into words, and each word encoded.
final class PipelineTokenizer: Tokenizer {
  /// The parts that a file fills in.
  struct Parts {
    var table: TokenTable
    var addedTokens: [AddedToken] = []
    var addedTokenRule = AddedTokens.WordRule.wordCharacters
    var normalizer = Normalizer(steps: [])
    var preTokenizer = PreTokenizer(steps: [])
    var encoder: any WordEncoder
    var decoder: TokenDecoder
    var properties: TokenizerProperties
  }

  let table: TokenTable
  let properties: TokenizerProperties
  private let rawTokens: AddedTokens
  private let normalizedTokens: AddedTokens
  private let normalizer: Normalizer
  private let preTokenizer: PreTokenizer
  private let encoder: any WordEncoder
  private let decoder: TokenDecoder
  /// Added tokens that are looked for in normalised text decode as they are looked for (tokenizers 0.23).
  private let respelt: [Int32: ArraySlice<UInt8>]
  private let scratches = ScratchPool()

  init(_ parts: Parts) throws {
    table = parts.table
    properties = parts.properties
    normalizer = parts.normalizer
    preTokenizer = parts.preTokenizer
    encoder = parts.encoder
    decoder = parts.decoder
    let workspace = RegularExpressionWorkspace()
    rawTokens = AddedTokens(
      parts.addedTokens.filter { !$0.normalized }.map { ($0, Array($0.content.utf8)) },
      rule: parts.addedTokenRule)
    let normalized = try parts.addedTokens.filter(\.normalized).map { token in
      let content = Array(token.content.utf8)
      let pattern = try parts.normalizer.normalize(content, startsText: true, workspace: workspace)
      guard !pattern.isEmpty || content.isEmpty else {
        throw FireflyError(
          "the tokenizer's normalizer leaves nothing of an added token",
          found: token.content.debugDescription,
          fix: "Set \"normalized\" to false for it in tokenizer.json.")
      }
      return (token, pattern)
    }
    normalizedTokens = AddedTokens(normalized, rule: parts.addedTokenRule)
    respelt = Dictionary(normalized.map { ($0.id, $1[...]) }, uniquingKeysWith: { $1 })
  }

  func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
    let text = Array(text.utf8)
    var ids: [Int32] = []
    ids.reserveCapacity(text.count / 3 + 4)
    try scratches.with { scratch in
      for part in text.withUnsafeBytes({ rawTokens.split($0, parseSpecial: parseSpecial) }) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          try encodePiece(
            range.count == text.count ? text : Array(text[range]), startsText: range.lowerBound == 0,
            parseSpecial: parseSpecial, scratch, &ids)
        }
      }
    }
    return ids
  }

  private func encodePiece(
    _ text: [UInt8], startsText: Bool, parseSpecial: Bool, _ scratch: EncodingScratch, _ ids: inout [Int32]
  ) throws {
    let keepsStart =
      try preTokenizer.asksForStart
      ? startsText && normalizer.keepsFirst(of: text, workspace: scratch.matching) : startsText
    let text = try normalizer.normalize(text, startsText: startsText, workspace: scratch.matching)
    for part in text.withUnsafeBytes({ normalizedTokens.split($0, parseSpecial: parseSpecial) }) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let words = try preTokenizer.split(
          range.count == text.count ? text : Array(text[range]),
          startsText: keepsStart && range.lowerBound == 0, workspace: scratch.matching)
        try words.bytes.withUnsafeBytes { bytes in
          for word in words.ranges where !word.isEmpty {
            try encoder.encode(bytes.part(word), scratch: scratch, to: &ids)
          }
        }
      }
    }
  }

  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder {
    decoder.makeStreamingDecoder(
      DecodingRules(table: table, skipped: skipSpecial ? properties.specialIDs : [], respelt: respelt))
  }
}

// MARK: - What the table and the properties know

extension PipelineTokenizer {
  var vocabularySize: Int { table.limit }
  var bos: Int32? { properties.bos }
  var eos: Int32? { properties.eos }
  var pad: Int32? { properties.pad }
  var unk: Int32? { properties.unk }
  var addsBOS: Bool { properties.addsBOS }
  var addsEOS: Bool { properties.addsEOS }
  var textStart: [Int32] { properties.ends?.start ?? (addsBOS ? bos.map { [$0] } ?? [] : []) }
  var textEnd: [Int32] { properties.ends?.end ?? (addsEOS ? eos.map { [$0] } ?? [] : []) }
  var notes: [String] { properties.notes }
  var specialIDs: Set<Int32> { properties.specialIDs }
  var chatTemplate: String? { properties.chatTemplate }
  var toolTemplate: String? { properties.toolTemplate }

  func token(of id: Int32) -> String? {
    table.token(of: id).map { String(decoding: $0, as: UTF8.self) }
  }
  func id(of token: String) -> Int32? { table.id(of: token) }
}

/// What every tokenizer knows beside its way of splitting text.
struct TokenizerProperties: Sendable {
  var bos: Int32?
  var eos: Int32?
  var pad: Int32?
  var unk: Int32?
  var addsBOS = false
  var addsEOS = false
  /// What goes before and behind a text that stands alone, where that may be more than BOS and EOS; nil where it is not.
  var ends: Ends?
  var specialIDs: Set<Int32> = []
  var chatTemplate: String?
  var toolTemplate: String?
  var notes: [String] = []

  typealias Ends = (start: [Int32], end: [Int32])
}
