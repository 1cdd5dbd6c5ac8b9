/// What decoding asks of a vocabulary.
struct DecodingRules: Sendable {
  let table: TokenTable
  let skipped: Set<Int32>
  /// Tokens that decode as something else than they are.
  let respelt: [Int32: ArraySlice<UInt8>]

  init(table: TokenTable, skipped: Set<Int32>, respelt: [Int32: ArraySlice<UInt8>] = [:]) {
    self.table = table
    self.skipped = skipped
    self.respelt = respelt
  }

  /// The token that `id` gives to the decoder; nil for none.
  func token(of id: Int32) -> ArraySlice<UInt8>? {
    skipped.contains(id) ? nil : respelt[id] ?? table.token(of: id)
  }
}

/// The byte that a token like `<0x0A>` stands for.
func byteOfToken(_ token: some RandomAccessCollection<UInt8>) -> UInt8? {
  guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">") else { return nil }
  return UInt8(String(decoding: token.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
}

/// `bytes` with every `pattern` replaced, from left to right.
func replaceBytes(_ bytes: [UInt8], _ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  var rest = bytes[...]
  while let first = rest.first {
    if rest.starts(with: pattern) {
      out += content
      rest = rest.dropFirst(pattern.count)
    } else {
      out.append(first)
      rest = rest.dropFirst()
    }
  }
  return out
}
