/// A tokenizer of byte-pair encoding, as Hugging Face's `tokenizers` runs it:
/// added tokens are cut out, the rest is normalised, cut into words, and each word merged.
final class BPETokenizer: TableTokenizer {
  /// The parts that a file fills in.
  struct Parts {
    var table: TokenTable
    var addedTokens: [AddedToken] = []
    var normalizer = Normalizer(steps: [])
    /// How added tokens that are looked for in normalised text are themselves normalised.
    var addedTokenNormalizer: Normalizer?
    var preTokenizer = PreTokenizer(steps: [])
    var encoder: BytePairEncoder
    var decoder: TokenDecoder
    var properties: TokenizerProperties
  }

  let table: TokenTable
  let properties: TokenizerProperties
  private let rawTokens: AddedTokens
  private let normalizedTokens: AddedTokens
  private let normalizer: Normalizer
  private let preTokenizer: PreTokenizer
  private let encoder: BytePairEncoder
  private let decoder: TokenDecoder
  private let scratches = ScratchPool()

  init(_ parts: Parts) throws {
    table = parts.table
    properties = parts.properties
    normalizer = parts.normalizer
    preTokenizer = parts.preTokenizer
    encoder = parts.encoder
    decoder = parts.decoder
    let workspace = RegularExpressionWorkspace()
    let tokenNormalizer = parts.addedTokenNormalizer ?? parts.normalizer
    rawTokens = AddedTokens(
      parts.addedTokens.filter { !$0.normalized }.map { ($0, Array($0.content.utf8)) })
    normalizedTokens = AddedTokens(
      try parts.addedTokens.filter(\.normalized).map {
        ($0, try tokenNormalizer.normalize(Array($0.content.utf8), workspace: workspace))
      })
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
            Array(text[range]), startsText: range.lowerBound == 0, parseSpecial: parseSpecial, scratch, &ids)
        }
      }
    }
    return ids
  }

  private func encodePiece(
    _ text: [UInt8], startsText: Bool, parseSpecial: Bool, _ scratch: EncodingScratch, _ ids: inout [Int32]
  ) throws {
    let text = try normalizer.normalize(text, workspace: scratch.matching)
    for part in text.withUnsafeBytes({ normalizedTokens.split($0, parseSpecial: parseSpecial) }) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let words = try preTokenizer.split(
          range.count == text.count ? text : Array(text[range]),
          startsText: startsText && range.lowerBound == 0, workspace: scratch.matching)
        try words.bytes.withUnsafeBytes { bytes in
          for word in words.ranges {
            try encoder.encode(UnsafeRawBufferPointer(rebasing: bytes[word]), scratch: scratch, to: &ids)
          }
        }
      }
    }
  }

  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder {
    decoder.makeStreamingDecoder(table, skipped: skipSpecial ? properties.specialIDs : [])
  }
}
