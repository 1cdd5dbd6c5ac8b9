/// Single tokens as they stand inside a text, for reports of log-probabilities.
package struct TokenSpelling: Sendable {
  private let tokenizer: any Tokenizer
  /// A decoder that has read an ordinary token, so that a leading space is not dropped as a text's first.
  private let inside: StreamingDecoder

  package init(_ tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
    for id in (try? tokenizer.encode("a", parseSpecial: false)) ?? [] { _ = decoder.append(id) }
    inside = decoder
  }

  /// The bytes that `id` adds to a text, special tokens as they are spelt; they may be part of a character.
  package func bytes(of id: Int32) -> [UInt8] {
    var decoder = inside
    let text = decoder.append(id) + decoder.finish()
    guard text.unicodeScalars.contains("\u{FFFD}"), let token = tokenizer.token(of: id) else {
      return Array(text.utf8)
    }
    let spelt = Array(token.utf8)
    return byteOfToken(spelt).map { [$0] } ?? ByteAlphabet.read(spelt[...]) ?? Array(text.utf8)
  }

  /// The same as text: bytes that are not whole characters as `bytes:\xe4\xbd`, which OpenAI's service writes too.
  package func text(of id: Int32) -> String {
    let bytes = bytes(of: id)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return "bytes:"
      + bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
