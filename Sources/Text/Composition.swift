import Foundation

/// Canonical composition (NFC of the Unicode Standard).
///
/// Foundation composes all but Hangul: on Linux it takes old vowels and final consonants, of which there are no
/// syllables, for modern ones. Jamo compose with nothing else, so they are cut out and composed here (section 3.12).
enum Composition {
  static func compose(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    var other = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard isHangul(scalar.value) else {
        other.append(scalar)
        continue
      }
      append(&other, to: &out)
      if let last = out.last, let syllable = syllable(last.value, scalar.value) {
        out.removeLast()
        out.append(syllable)
      } else {
        out.append(scalar)
      }
    }
    append(&other, to: &out)
    return String(out)
  }

  private static func append(_ other: inout String.UnicodeScalarView, to out: inout String.UnicodeScalarView)
  {
    guard !other.isEmpty else { return }
    out.append(contentsOf: String(other).precomposedStringWithCanonicalMapping.unicodeScalars)
    other.removeAll()
  }

  private static func isHangul(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x1100...0x11FF, 0xA960...0xA97F, 0xAC00...0xD7FF: true
    default: false
    }
  }

  /// The syllable of a leading consonant and a vowel, or of a syllable without a final consonant and one.
  private static func syllable(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    switch (first, second) {
    case (0x1100...0x1112, 0x1161...0x1175):
      Unicode.Scalar(0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28)
    case (0xAC00...0xD7A3, 0x11A8...0x11C2) where (first - 0xAC00) % 28 == 0:
      Unicode.Scalar(first + second - 0x11A7)
    default: nil
    }
  }
}
