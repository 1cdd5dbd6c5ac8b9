extension Unicode.Scalar {
  /// Two columns wide on a terminal: ideographs, kana, Hangul, full-width forms and punctuation, and emoji.
  fileprivate var isWide: Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

extension Character {
  /// Whether the character takes two columns of a terminal.
  package var isWide: Bool { unicodeScalars.first?.isWide ?? false }
}

extension StringProtocol {
  /// The columns that the text takes on a terminal: two for an ideograph, one for what else is seen.
  package var displayWidth: Int { reduce(0) { $0 + ($1.isWide ? 2 : 1) } }
}
