import FireflyBase
import Foundation

/// Qwen-1's tokenizer: `qwen.tiktoken`, a line a token with its bytes in base64 and its rank, and the fixed special
/// tokens behind them, as QWenTokenizer has them in its code.
///
/// Of two neighbours those merge whose bytes together have the lowest rank (tiktoken).
struct TiktokenFile {
  private static let pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  private static let endOfText = "<|endoftext|>"
  private static let specials =
    [endOfText, "<|im_start|>", "<|im_end|>"] + (0..<205).map { "<|extra_\($0)|>" }

  private let place: String
  /// The tokens by their ranks.
  private var tokens: [ArraySlice<UInt8>] = []

  init(_ path: String) throws {
    place = path
    let file = try MappedFile(path)
    try withExtendedLifetime(file) {
      for (index, line) in file.bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
        try append(line, number: index + 1)
      }
    }
    guard !tokens.isEmpty else {
      throw FireflyError("the file is empty", at: path, expected: "tokens and their ranks")
    }
  }

  private mutating func append(_ line: Slice<UnsafeRawBufferPointer>, number: Int) throws {
    let parts = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
    guard parts.count == 2, let bytes = Data(base64Encoded: Data(parts[0])), !bytes.isEmpty,
      Int(String(decoding: parts[1], as: UTF8.self)) == tokens.count, tokens.count < TokenTable.largestID
    else {
      throw FireflyError(
        "not a token and its rank", at: "\(place):\(number)", expected: "base64 and \(tokens.count)",
        found: "\"\(String(decoding: line.prefix(80), as: UTF8.self))\"")
    }
    tokens.append(Array(bytes)[...])
  }

  func tokenizer(_ config: TokenizerConfig) throws -> PipelineTokenizer {
    var table = TokenTable(count: tokens.count + TiktokenFile.specials.count)
    for (rank, token) in tokens.enumerated() {
      ByteAlphabet.spell(token).withUnsafeBytes { table.insert($0, id: Int32(rank)) }
    }
    var added: [AddedToken] = []
    for (index, name) in TiktokenFile.specials.enumerated() {
      added.append(AddedToken(name, id: Int32(tokens.count + index), special: true))
      table.insert(name, id: Int32(tokens.count + index))
    }
    var properties = TokenizerProperties(config, table, special: added)
    let end = table.id(of: TiktokenFile.endOfText)
    (properties.bos, properties.eos, properties.pad) = (end, end, end)
    let words = try RegularExpression(tokenizers: TiktokenFile.pattern, at: place)
    return try PipelineTokenizer(
      PipelineTokenizer.Parts(
        table: table, addedTokens: added, normalizer: Normalizer(steps: [.nfc]),
        preTokenizer: PreTokenizer(steps: [.isolating(words)]), encoder: encoder(table),
        decoder: .byteLevel, properties: properties))
  }

  private func encoder(_ table: TokenTable) -> BytePairEncoder {
    let scored = ScoredMerges(
      tokens.enumerated().map { ($0.element, Int32($0.offset), -Float($0.offset)) }, limit: tokens.count,
      cuts: .bytes)
    let bytes = (UInt8.min...UInt8.max).map { scored.table.id(of: [$0]) ?? -1 }
    return BytePairEncoder(table: table, symbols: .bytes(bytes), merges: scored.merges, ignoresMerges: true)
  }
}
