import CUTF8Proc

/// The normal forms of the Unicode Standard (section 3.11), by libutf8proc's tables.
///
/// The order of marks is sorted here: libutf8proc's own takes time in the square of a run of them.
enum UnicodeForms {
  /// NFD: every character taken apart, marks in canonical order.
  static func decompose(_ text: [UInt8]) -> [UInt8] { bytes(decomposed(text, UTF8PROC_DECOMPOSE)) }

  /// NFKD: the same, and characters that only look different from others become those.
  static func decomposeCompatibly(_ text: [UInt8]) -> [UInt8] { bytes(decomposed(text, compatible)) }

  /// NFC: the same text with as few characters as may be.
  static func compose(_ text: [UInt8]) -> [UInt8] { bytes(composed(decomposed(text, UTF8PROC_DECOMPOSE))) }

  /// NFKC
  static func composeCompatibly(_ text: [UInt8]) -> [UInt8] { bytes(composed(decomposed(text, compatible))) }

  private static let compatible = utf8proc_option_t(
    UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue)
  /// What a character becomes at most; the longest of Unicode 15 is 18.
  private static let mostParts = 64

  private static func decomposed(_ text: [UInt8], _ options: utf8proc_option_t) -> [Int32] {
    var parts = [Int32](repeating: 0, count: mostParts)
    var out: [Int32] = []
    out.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      let count = utf8proc_decompose_char(Int32(scalar.value), &parts, mostParts, options, nil)
      precondition(0...mostParts ~= count, "\(count) parts of U+\(String(scalar.value, radix: 16))")
      out += parts[..<count]
    }
    return ordered(out)
  }

  /// Marks behind one character in the order of their classes, those of one class as they were.
  private static func ordered(_ scalars: [Int32]) -> [Int32] {
    var scalars = scalars
    var start = 0
    while start < scalars.count {
      guard combiningClass(scalars[start]) != 0 else {
        start += 1
        continue
      }
      let end = scalars[start...].firstIndex { combiningClass($0) == 0 } ?? scalars.count
      if end - start > 1 {
        let marks = scalars[start..<end].enumerated().sorted {
          (combiningClass($0.element), $0.offset) < (combiningClass($1.element), $1.offset)
        }
        scalars.replaceSubrange(start..<end, with: marks.map(\.element))
      }
      start = end
    }
    return scalars
  }

  private static func combiningClass(_ scalar: Int32) -> Int32 {
    Int32(utf8proc_get_property(scalar).pointee.combining_class)
  }

  private static func composed(_ scalars: [Int32]) -> [Int32] {
    var scalars = scalars
    let options = utf8proc_option_t(UTF8PROC_COMPOSE.rawValue | UTF8PROC_STABLE.rawValue)
    let count = utf8proc_normalize_utf32(&scalars, scalars.count, options)
    precondition(0...scalars.count ~= count, "\(count) characters of \(scalars.count)")
    return Array(scalars[..<count])
  }

  private static func bytes(_ scalars: [Int32]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(2 * scalars.count)
    for scalar in scalars {
      out += String(Unicode.Scalar(UInt32(scalar)) ?? "\u{FFFD}").utf8
    }
    return out
  }
}
