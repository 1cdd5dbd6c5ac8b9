/// A text as UTF-8 bytes, changed character by character: what the normalisers share.
enum TextBytes {
  static func string(_ text: [UInt8]) -> String { String(decoding: text, as: UTF8.self) }

  /// Every scalar as `change` gives it, or left out.
  static func filter(_ text: [UInt8], _ change: (Unicode.Scalar) -> Unicode.Scalar?) -> [UInt8] {
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: string(text).unicodeScalars.lazy.compactMap(change))
    return Array(String(scalars).utf8)
  }

  /// Character by character, without the final-sigma rule.
  static func lowercase(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for scalar in string(text).unicodeScalars { out += scalar.properties.lowercaseMapping.utf8 }
    return out
  }
}

extension Unicode.Scalar {
  /// Whether this is a mark that combines with the character before.
  var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }
}
