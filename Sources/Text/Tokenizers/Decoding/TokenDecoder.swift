/// How tokens become text again: the `decoder` of tokenizer.json.
enum TokenDecoder: Sendable {
  /// Tokens spell bytes in GPT-2's alphabet; a token that does not is its own text.
  case byteLevel
  /// Tokens go through the steps one after the other.
  case steps([DecodingStep])
  /// SentencePiece's pieces: `▁` is a space, `<0xE4>` a byte.
  case pieces(dropsSpace: PieceDecoding.LeadingSpace)
}

extension TokenDecoder {
  func makeStreamingDecoder(_ rules: DecodingRules) -> StreamingDecoder {
    switch self {
    case .byteLevel: return StreamingDecoder(ByteLevelDecoding(rules: rules))
    case .steps(let steps): return StreamingDecoder(StepwiseDecoding(rules: rules, steps: steps))
    case .pieces(let dropsSpace): return StreamingDecoder(PieceDecoding(rules: rules, dropsSpace: dropsSpace))
    }
  }
}

/// Decoding of byte-level tokens.
struct ByteLevelDecoding: DecodingState {
  let rules: DecodingRules
  private var assembler = UTF8Assembler(.eachSequence)

  init(rules: DecodingRules) { self.rules = rules }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard let token = rules.token(of: id) else { return }
    for byte in ByteAlphabet.read(token) ?? Array(token) { assembler.append(byte, to: &out) }
  }

  mutating func finish(to out: inout [UInt8]) { assembler.finish(to: &out) }
}
