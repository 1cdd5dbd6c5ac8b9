import FireflyBase
import Foundation

/// What happens to a text before it is cut: the `normalizer` of tokenizer.json.
struct Normalizer: Sendable {
  enum Step: Sendable {
    case nfc, nfd, nfkc, nfkd
    case lowercase
    case strip(left: Bool, right: Bool)
    case prepend([UInt8])
    case replace(RegularExpression, with: [UInt8])
    case stripAccents
    /// A map of SentencePiece, as Hugging Face's tokenizers apply it.
    case map(CharacterMap)
    /// SentencePiece's own normaliser.
    case pieces(PieceNormalizer)
    case nmt
    case bert(BertNormalizer)
    /// Bytes spelt in GPT-2's alphabet.
    case byteAlphabet
  }

  var steps: [Step]

  /// A text may become so many times as long, and so many bytes longer: no published normalizer comes near, and a hostile one
  /// is stopped.
  private static let (growth, longest) = (64, 1 << 20)

  /// The normalised text; valid UTF-8 as its input is.
  /// - Parameter startsText: whether no text stands before this one.
  func normalize(
    _ text: [UInt8], startsText: Bool, workspace: RegularExpressionWorkspace
  ) throws -> [UInt8] {
    let longest = Normalizer.longest + Normalizer.growth * text.count
    var text = text
    for step in steps {
      switch step {
      case .nfc: text = Normalizer.compose(text)
      case .nfd: text = UnicodeForms.decompose(text)
      case .nfkc: text = UnicodeForms.composeCompatibly(text)
      case .nfkd: text = UnicodeForms.decomposeCompatibly(text)
      case .lowercase: text = TextBytes.lowercase(text)
      case .strip(let left, let right): text = Normalizer.strip(text, left: left, right: right)
      case .prepend(let prefix): if !text.isEmpty { text = prefix + text }
      case .replace(let pattern, let content):
        text = try Normalizer.replace(text, pattern, with: content, longest: longest, workspace)
      case .stripAccents: text = TextBytes.filter(text) { $0.isMark ? nil : $0 }
      case .map(let map): text = map.normalizeByCharacter(text)
      case .pieces(let pieces): text = pieces.normalize(text, startsText: startsText)
      case .nmt: text = TextBytes.filter(text, Normalizer.nmt)
      case .bert(let bert): text = bert.normalize(text)
      case .byteAlphabet: text = ByteAlphabet.spell(text)
      }
      guard text.count <= longest else {
        throw FireflyError(
          "the tokenizer's normalizer makes too long a text", expected: "at most \(longest) bytes")
      }
    }
    return text
  }

  /// Whether what the text's first character becomes is still there at the end.
  func keepsFirst(of text: [UInt8], workspace: RegularExpressionWorkspace) throws -> Bool {
    guard let first = TextBytes.string(text).unicodeScalars.first else { return true }
    var rest = Array(String(first).utf8)
    for step in steps {
      if case .strip(left: false, _) = step { continue }
      let next = try Normalizer(steps: [step]).normalize(rest, startsText: true, workspace: workspace)
      if !next.isEmpty {
        rest = next
      } else if case .map = step {
        continue  // what follows is taken for what a map makes of it
      } else {
        return false
      }
    }
    return true
  }

  /// The rule of machine translation's normaliser: control characters go, odd spaces become one kind.
  private static func nmt(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: nil
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: " "
    default: scalar
    }
  }

  private static func compose(_ text: [UInt8]) -> [UInt8] {
    if text.allSatisfy({ $0 < 0x80 }) { return text }
    let string = TextBytes.string(text)
    if string.unicodeScalars.allSatisfy({ isComposed($0.value) }) { return text }
    return UnicodeForms.compose(text)
  }

  /// Ranges of characters that composition leaves alone, whatever stands beside them.
  private static func isComposed(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0...0x2FF, 0x400...0x482, 0x48A...0x52F, 0x5D0...0x5EA, 0x1E00...0x1EFF: true
    case 0x200B...0x200F, 0x2010...0x2027, 0x2030...0x205E: true
    case 0x3001...0x3029, 0x3041...0x3096, 0x30A1...0x30FE: true
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3: true
    case 0xFE0F, 0xFF01...0xFF9D, 0x1F300...0x1FAFF: true
    default: false
    }
  }

  private static func strip(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = Substring(TextBytes.string(text)).unicodeScalars
    while left, let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return Array(String(scalars).utf8)
  }

  private static func replace(
    _ text: [UInt8], _ pattern: RegularExpression, with content: [UInt8], longest: Int,
    _ workspace: RegularExpressionWorkspace
  ) throws -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 4)
    try text.withUnsafeBufferPointer { bytes in
      var done = 0
      try pattern.forEachMatch(in: bytes, workspace: workspace) { match in
        out.append(contentsOf: bytes[done..<match.lowerBound])
        if out.count <= longest { out.append(contentsOf: content) }
        done = match.upperBound
      }
      out.append(contentsOf: bytes[done...])
    }
    return out
  }
}
