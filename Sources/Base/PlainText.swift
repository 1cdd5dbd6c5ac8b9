extension Unicode.Scalar {
  /// Python's `str.isspace`: Unicode white space and the separators U+001C to U+001F.
  package var isPythonSpace: Bool {
    if value < 0x80 { return value == 0x20 || (0x09...0x0D).contains(value) || (0x1C...0x1F).contains(value) }
    return properties.isWhitespace
  }
}

extension String {
  /// Python's `str.strip()`.
  package var strippedAsPython: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.isPythonSpace }),
      let last = scalars.lastIndex(where: { !$0.isPythonSpace })
    else { return "" }
    return String(scalars[first...last])
  }

  /// The same at one end only.
  package var strippedAtStart: String { String(unicodeScalars.drop(while: \.isPythonSpace)) }

  package var strippedAtEnd: String {
    let end = unicodeScalars.lastIndex { !$0.isPythonSpace }.map(unicodeScalars.index(after:))
    return String(unicodeScalars[..<(end ?? unicodeScalars.startIndex)])
  }
}

extension Collection<UInt8> {
  /// Where a file's text begins: behind a UTF-8 byte order mark, which is not part of it.
  package var startOfText: Index {
    starts(with: [0xEF, 0xBB, 0xBF]) ? index(startIndex, offsetBy: 3) : startIndex
  }
}
