import FireflyBase

/// The greedy model of BERT: from left to right the longest token that fits; with no `prefix` whole words only.
struct WordPieceEncoder: WordEncoder {
  let table: TokenTable
  let unknown: Int32?
  /// What every token has in front that does not begin its word; nil when words are not cut.
  let prefix: [UInt8]?
  /// The most characters of a word that is looked at; longer ones are unknown.
  let longest: Int

  func encode(_ word: UnsafeRawBufferPointer, scratch: EncodingScratch, to ids: inout [Int32]) throws {
    if let prefix {
      let start = ids.count
      if word.count(where: { $0 & 0xC0 != 0x80 }) <= longest, appendTokens(of: word, prefix, to: &ids) {
        return
      }
      ids.removeSubrange(start...)
    } else if let id = table.id(of: word) {
      return ids.append(id)
    }
    guard let unknown else {
      throw FireflyError(
        "the vocabulary has no token for a word and none for unknown text",
        found: String(decoding: word, as: UTF8.self))
    }
    ids.append(unknown)
  }

  /// False when some part of the word has no token.
  private func appendTokens(of word: UnsafeRawBufferPointer, _ prefix: [UInt8], to ids: inout [Int32]) -> Bool
  {
    var start = 0
    while start < word.count {
      guard let (id, end) = longestToken(of: word, from: start, prefix) else { return false }
      ids.append(id)
      start = end
    }
    return true
  }

  private func longestToken(
    of word: UnsafeRawBufferPointer, from start: Int, _ prefix: [UInt8]
  ) -> (id: Int32, end: Int)? {
    for end in stride(from: word.count, to: start, by: -1) where end == word.count || word[end] & 0xC0 != 0x80
    {
      let part = word.part(start..<end)
      if let id = start == 0 ? table.id(of: part) : table.id(of: prefix + part) { return (id, end) }
    }
    return nil
  }
}
