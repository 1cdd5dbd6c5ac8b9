/// Decoding of SentencePiece's pieces.
struct PieceDecoding: DecodingState {
  /// What becomes of the space that a text's first piece begins with.
  enum LeadingSpace: Sendable {
    case kept
    /// The first piece that has one loses it, while the text is empty.
    case oneDropped
    /// Every piece loses it, while the text is empty.
    case allDropped
  }

  let rules: DecodingRules
  private let dropsSpace: LeadingSpace
  private var assembler = UTF8Assembler(.eachByte)
  /// Whether the text is empty so far.
  private var isEmpty = true
  private var droppedOne = false

  init(rules: DecodingRules, dropsSpace: LeadingSpace) {
    self.rules = rules
    self.dropsSpace = dropsSpace
  }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard var token = rules.token(of: id) else { return }
    if let byte = byteOfToken(token) {
      isEmpty = false
      return assembler.append(byte, to: &out)
    }
    assembler.finish(to: &out)
    if isEmpty, token.starts(with: PieceNormalizer.mark),
      dropsSpace == .allDropped || dropsSpace == .oneDropped && !droppedOne
    {
      token = token.dropFirst(PieceNormalizer.mark.count)
      droppedOne = true
    }
    if !token.isEmpty { isEmpty = false }
    out += replaceBytes(Array(token), PieceNormalizer.mark, with: [UInt8(ascii: " ")])
  }

  mutating func finish(to out: inout [UInt8]) { assembler.finish(to: &out) }
}
