/// BERT's normaliser, as Hugging Face's tokenizers run it.
struct BertNormalizer: Sendable {
  /// Whether control characters go and every white space becomes a space.
  var cleansText: Bool
  /// Whether Chinese characters get spaces around them.
  var spacesChinese: Bool
  var stripsAccents: Bool
  var lowercases: Bool

  func normalize(_ text: [UInt8]) -> [UInt8] {
    var text = text
    if cleansText { text = TextBytes.filter(text, BertNormalizer.clean) }
    if spacesChinese { text = BertNormalizer.spaced(text) }
    if stripsAccents {
      text = TextBytes.filter(UnicodeForms.decompose(text)) {
        $0.properties.generalCategory == .nonspacingMark ? nil : $0
      }
    }
    return lowercases ? TextBytes.lowercase(text) : text
  }

  private static func clean(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar {
    case "\t", "\n", "\r": return " "
    case "\0", "\u{FFFD}": return nil
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse, .unassigned, .surrogate: return nil
    default: return scalar.properties.isWhitespace ? " " : scalar
    }
  }

  private static func spaced(_ text: [UInt8]) -> [UInt8] {
    var out = String.UnicodeScalarView()
    for scalar in TextBytes.string(text).unicodeScalars {
      if isChinese(scalar) { out.append(contentsOf: [" ", scalar, " "]) } else { out.append(scalar) }
    }
    return Array(String(out).utf8)
  }

  private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
