extension Unicode.Scalar {
  /// Python's `str.isspace`: Unicode white space and the separators U+001C to U+001F.
  package var isPythonSpace: Bool {
    if value < 0x80 { return value == 0x20 || (0x09...0x0D).contains(value) || (0x1C...0x1F).contains(value) }
    return properties.isWhitespace
  }
}
