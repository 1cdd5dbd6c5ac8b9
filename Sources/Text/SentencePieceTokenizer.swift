import CSentencePiece
import FireflyBase

/// tokenizer.model through libsentencepiece, with the added tokens that stand beside it.
///
/// Text between special tokens is encoded piece by piece, each with the model's own leading space, as the slow
/// tokenizers of transformers do with `legacy` true.
final class SentencePieceTokenizer: TableTokenizer, @unchecked Sendable {
  private let model: OpaquePointer
  let table: TokenTable
  let properties: TokenizerProperties
  private let added: AddedTokens
  private let dropsLeadingSpace: Bool

  init(_ path: String, _ config: TokenizerConfig) throws {
    let file = try MappedFile(path)
    guard !file.bytes.isEmpty else {
      throw FireflyError("the file is empty", at: path, expected: "a SentencePiece model")
    }
    var problem: UnsafePointer<CChar>?
    let loaded = withExtendedLifetime(file) { sp_load(file.bytes.baseAddress, file.bytes.count, &problem) }
    guard let loaded else {
      throw FireflyError(
        "not a SentencePiece model: \(problem.map { String(cString: $0) } ?? "unknown error")", at: path)
    }
    model = loaded
    let size = sp_size(loaded)
    var table = TokenTable(count: Int(size))
    for id in 0..<size { table.insert(SentencePieceTokenizer.piece(loaded, id), id: id) }
    let controls = (0..<size).filter { sp_is_control(loaded, $0) || $0 == sp_unknown_id(loaded) }
    var tokens = config.addedTokens
    for token in tokens { table.insert(token.content.utf8, id: token.id) }
    let known = Set(tokens.map(\.id))
    tokens += controls.filter { !known.contains($0) }.map { id in
      AddedToken(
        String(decoding: SentencePieceTokenizer.piece(loaded, id), as: UTF8.self), id: id, special: true)
    }
    self.table = table
    added = AddedTokens(tokens.map { ($0, Array($0.content.utf8)) }, rule: .spaces)
    var properties = TokenizerProperties(config, table, addsBOS: true, special: tokens)
    properties.bos = properties.bos ?? SentencePieceTokenizer.known(sp_bos_id(loaded))
    properties.eos = properties.eos ?? SentencePieceTokenizer.known(sp_eos_id(loaded))
    properties.pad = properties.pad ?? SentencePieceTokenizer.known(sp_pad_id(loaded))
    properties.unk = properties.unk ?? SentencePieceTokenizer.known(sp_unknown_id(loaded))
    self.properties = properties
    dropsLeadingSpace =
      try SentencePieceTokenizer.encode(loaded, Array("a".utf8)[...]).first
      .flatMap { table.token(of: $0) }?.starts(with: "▁".utf8) ?? false
  }

  deinit { sp_free(model) }

  private static func known(_ id: Int32) -> Int32? { id >= 0 ? id : nil }

  private static func piece(_ model: OpaquePointer, _ id: Int32) -> [UInt8] {
    var length = 0
    let start = sp_piece(model, id, &length)
    return Array(UnsafeRawBufferPointer(start: start, count: length))
  }

  private static func encode(_ model: OpaquePointer, _ text: ArraySlice<UInt8>) throws -> [Int32] {
    var ids: [Int32] = []
    let problem = text.withUnsafeBytes { bytes in
      withUnsafeMutablePointer(to: &ids) { ids in
        sp_encode(model, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, ids) {
          context, found, count in
          context?.assumingMemoryBound(to: [Int32].self).pointee.append(
            contentsOf: UnsafeBufferPointer(start: found, count: count))
        }
      }
    }
    if let problem { throw FireflyError("SentencePiece cannot encode the text: \(String(cString: problem))") }
    return ids
  }

  func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
    let bytes = Array(text.utf8)
    var ids: [Int32] = []
    for part in bytes.withUnsafeBytes({ added.split($0, parseSpecial: parseSpecial) }) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range): ids += try SentencePieceTokenizer.encode(model, bytes[range])
      }
    }
    return ids
  }

  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder {
    TokenDecoder.sentencePiece(dropsLeadingSpace: dropsLeadingSpace)
      .makeStreamingDecoder(table, skipped: skipSpecial ? properties.specialIDs : [])
  }
}
