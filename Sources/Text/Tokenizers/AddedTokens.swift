/// A token that is looked for in the text itself, before any other rule.
package struct AddedToken: Equatable, Sendable {
  package var content: String
  package var id: Int32
  /// Left out of decoded text when special tokens are skipped; plain text unless special strings are parsed.
  package var special: Bool
  /// Takes the white space before it.
  package var lstrip: Bool
  /// Takes the white space after it.
  package var rstrip: Bool
  /// Looked for in the normalised text, in its own normalised form.
  package var normalized: Bool
  /// Matches only where no word goes on before or after it.
  package var singleWord: Bool

  package init(
    _ content: String, id: Int32, special: Bool, lstrip: Bool = false, rstrip: Bool = false,
    normalized: Bool = false, singleWord: Bool = false
  ) {
    self.content = content
    self.id = id
    self.special = special
    self.lstrip = lstrip
    self.rstrip = rstrip
    self.normalized = normalized
    self.singleWord = singleWord
  }
}

/// Finds added tokens in a text: leftmost first, the longest of those that start together.
struct AddedTokens: Sendable {
  /// What ends a word, for tokens that match only as a single word.
  enum WordRule: Sendable {
    /// Anything but letters, marks, digits and connectors (tokenizers, the Rust library).
    case wordCharacters
    /// Only a space is taken (the slow tokenizers of transformers).
    case spaces
  }

  enum Part: Equatable { case token(Int32), text(Range<Int>) }

  private struct Entry: Sendable {
    var pattern: [UInt8]
    var token: AddedToken
  }

  /// The tokens that start with each byte, longest first.
  private var entries: [[Entry]]
  private let rule: WordRule

  /// - Parameter tokens: each with the bytes to look for.
  init(_ tokens: [(token: AddedToken, pattern: [UInt8])], rule: WordRule = .wordCharacters) {
    self.rule = rule
    entries = Array(repeating: [], count: 256)
    for (token, pattern) in tokens {
      guard let first = pattern.first else { continue }
      entries[Int(first)].append(Entry(pattern: pattern, token: token))
    }
    for byte in entries.indices { entries[byte].sort { $0.pattern.count > $1.pattern.count } }
  }

  /// The parts of `text` in order; none of them is empty.
  func split(_ text: UnsafeRawBufferPointer, parseSpecial: Bool) -> [Part] {
    var parts: [Part] = []
    var done = 0
    var position = 0
    while position < text.count {
      guard let entry = match(text, at: position) else {
        position += 1
        continue
      }
      // White space that a token takes is still searched: a token that stands in it is one too, as in tokenizers.
      let end = position + entry.pattern.count
      if let span = accept(entry.token, position..<end, in: text, after: done, parseSpecial: parseSpecial) {
        if done < span.lowerBound { parts.append(.text(done..<span.lowerBound)) }
        parts.append(.token(entry.token.id))
        done = span.upperBound
      }
      position = end
    }
    if done < text.count { parts.append(.text(done..<text.count)) }
    return parts
  }

  private func match(_ text: UnsafeRawBufferPointer, at position: Int) -> Entry? {
    entries[Int(text[position])].first { entry in
      position + entry.pattern.count <= text.count
        && entry.pattern.indices.allSatisfy { text[position + $0] == entry.pattern[$0] }
    }
  }

  /// The bytes that the match takes; nil when its flags refuse it.
  private func accept(
    _ token: AddedToken, _ match: Range<Int>, in text: UnsafeRawBufferPointer, after done: Int,
    parseSpecial: Bool
  ) -> Range<Int>? {
    if token.special && !parseSpecial { return nil }
    if token.singleWord {
      let before = match.lowerBound > 0 ? scalar(before: match.lowerBound, in: text) : nil
      let after = match.upperBound < text.count ? scalar(at: match.upperBound, in: text) : nil
      if before.map(continuesWord) ?? false || after.map(continuesWord) ?? false { return nil }
    }
    var (start, end) = (token.lstrip ? max(match.lowerBound, done) : match.lowerBound, match.upperBound)
    while token.lstrip, start > done {
      let space = scalar(before: start, in: text)
      guard space.properties.isWhitespace else { break }
      start -= UTF8.width(space)
    }
    while token.rstrip, end < text.count {
      let space = scalar(at: end, in: text)
      guard space.properties.isWhitespace else { break }
      end += UTF8.width(space)
    }
    // Nothing is left of a token in white space that the one before it took.
    return token.lstrip && start >= end ? nil : start..<end
  }

  private func scalar(at position: Int, in text: UnsafeRawBufferPointer) -> Unicode.Scalar {
    Unicode.Scalar(UInt32(decodeScalar(text, at: position).scalar)) ?? "\u{FFFD}"
  }

  private func scalar(before position: Int, in text: UnsafeRawBufferPointer) -> Unicode.Scalar {
    var start = position - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(at: start, in: text)
  }

  private func continuesWord(_ scalar: Unicode.Scalar) -> Bool {
    guard rule == .wordCharacters else { return scalar != " " }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return scalar.properties.isAlphabetic || scalar.properties.isJoinControl
    }
  }
}
