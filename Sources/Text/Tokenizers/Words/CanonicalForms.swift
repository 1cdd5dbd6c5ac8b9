import Foundation

/// The canonical forms of the Unicode Standard (section 3.11): NFD and NFC.
///
/// Foundation gives what a single character decomposes to. Its own composition is not used: on Linux it takes old
/// Hangul vowels and final consonants for modern ones, and it does not sort long runs of marks.
enum CanonicalForms {
  /// Every character taken apart, marks in canonical order.
  static func decompose(_ text: String) -> String {
    var scalars: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      if 0xAC00...0xD7A3 ~= scalar.value {
        appendJamo(of: scalar.value - 0xAC00, to: &scalars)
      } else {
        append(scalar, to: &scalars)
      }
    }
    return string(ordered(scalars))
  }

  /// The same text with as few characters as may be.
  static func compose(_ text: String) -> String {
    var scalars: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars { append(scalar, to: &scalars) }
    var out: [Unicode.Scalar] = []
    var starter: Int?
    var lastClass: UInt8 = 0
    for scalar in ordered(scalars) {
      let ownClass = scalar.combiningClass
      // A mark joins its starter unless one of at least its class stands between.
      if let starter, starter == out.count - 1 || lastClass < ownClass,
        let composite = composite(out[starter], scalar)
      {
        out[starter] = composite
        continue
      }
      if ownClass == 0 { starter = out.count }
      out.append(scalar)
      lastClass = ownClass
    }
    return string(out)
  }

  /// Marks behind one character in the order of their classes, those of one class as they were.
  static func ordered(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var scalars = scalars
    var start = 0
    while start < scalars.count {
      guard scalars[start].combiningClass != 0 else {
        start += 1
        continue
      }
      let end = scalars[start...].firstIndex { $0.combiningClass == 0 } ?? scalars.count
      let marks = scalars[start..<end].enumerated().sorted {
        ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
      }
      scalars.replaceSubrange(start..<end, with: marks.map(\.element))
      start = end
    }
    return scalars
  }

  /// Appends `scalar` taken apart, a syllable of Hangul as it is.
  private static func append(_ scalar: Unicode.Scalar, to scalars: inout [Unicode.Scalar]) {
    if let parts = mappings.decompositions[scalar] { scalars += parts } else { scalars.append(scalar) }
  }

  private static func string(_ scalars: [Unicode.Scalar]) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  // MARK: - Pairs

  private static func composite(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    switch (first.value, second.value) {
    case (0x1100...0x1112, 0x1161...0x1175):
      Unicode.Scalar(0xAC00 + ((first.value - 0x1100) * 21 + second.value - 0x1161) * 28)
    case (0xAC00...0xD7A3, 0x11A8...0x11C2) where (first.value - 0xAC00) % 28 == 0:
      Unicode.Scalar(first.value + second.value - 0x11A7)
    default: mappings.composites[pair(first, second)]
    }
  }

  private static func pair(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt64 {
    UInt64(first.value) << 32 | UInt64(second.value)
  }

  private static func appendJamo(of syllable: UInt32, to scalars: inout [Unicode.Scalar]) {
    let jamo = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28, 0x11A7 + syllable % 28]
    scalars += jamo.prefix(syllable % 28 == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
  }

  private struct Mappings: Sendable {
    var decompositions: [Unicode.Scalar: [Unicode.Scalar]] = [:]
    /// The character that two others make, by their `pair`.
    var composites: [UInt64: Unicode.Scalar] = [:]
  }

  /// Blocks that have characters with a canonical decomposition, Hangul's aside.
  private static let blocks: [ClosedRange<UInt32>] = [
    0xC0...0x30FF, 0xF900...0xFB4F, 0x11000...0x11FFF, 0x1D100...0x1D1FF, 0x2F800...0x2FA1F,
  ]

  private static let mappings: Mappings = {
    var mappings = Mappings()
    for scalar in blocks.joined().compactMap(Unicode.Scalar.init) {
      let decomposed = Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
      if decomposed != [scalar] { mappings.decompositions[scalar] = decomposed }
    }
    // A character of three is that of its first two with the third: the short ones come first.
    for (scalar, parts) in mappings.decompositions.sorted(by: { $0.value.count < $1.value.count }) {
      guard parts.count > 1, !scalar.properties.isFullCompositionExclusion else { continue }
      let first = parts.dropLast().dropFirst().reduce(parts[0]) { mappings.composites[pair($0, $1)] ?? $0 }
      mappings.composites[pair(first, parts[parts.count - 1])] = scalar
    }
    return mappings
  }()
}

extension Unicode.Scalar {
  fileprivate var combiningClass: UInt8 { properties.canonicalCombiningClass.rawValue }
}
