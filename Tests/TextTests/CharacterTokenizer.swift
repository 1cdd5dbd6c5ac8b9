import FireflyText

/// A tokenizer whose ids can be written down by hand: the special tokens are 0, 1, 2, …, any other character is its
/// Unicode scalar plus 1,000. With `marksPieces` every encoded text begins with id 500, as SentencePiece's "▁" does.
struct CharacterTokenizer: Tokenizer {
  static let mark: Int32 = 500

  var specials = ["<pad>", "<s>", "</s>"]
  var bos: Int32? = 1
  var eos: Int32? = 2
  var marksPieces = false
  var chatTemplate: String?
  var addsBOS = false
  var vocabularySize = 1000 + 0x11_0000

  var pad: Int32? { 0 }
  var unk: Int32? { nil }
  var specialIDs: Set<Int32> { Set(specials.indices.map(Int32.init)) }

  func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
    var ids: [Int32] = marksPieces ? [Self.mark] : []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      let special = specials.firstIndex { parseSpecial && rest.starts(with: $0.unicodeScalars) }
      rest.removeFirst(special.map { specials[$0].unicodeScalars.count } ?? 1)
      ids.append(special.map(Int32.init) ?? Int32(1000 + scalar.value))
    }
    return ids
  }

  func token(of id: Int32) -> String? {
    if specials.indices.contains(Int(id)) { return specials[Int(id)] }
    return Unicode.Scalar(UInt32(max(id, 1000) - 1000)).map { String(Character($0)) }
  }

  func id(of token: String) -> Int32? {
    if let special = specials.firstIndex(of: token) { return Int32(special) }
    let scalars = token.unicodeScalars
    return scalars.count == 1 ? scalars.first.map { Int32(1000 + $0.value) } : nil
  }

  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder {
    StreamingDecoder(State(tokenizer: self, skipSpecial: skipSpecial))
  }

  private struct State: DecodingState {
    let tokenizer: CharacterTokenizer
    let skipSpecial: Bool

    mutating func append(_ id: Int32, to out: inout [UInt8]) {
      guard id != CharacterTokenizer.mark, !skipSpecial || !tokenizer.specialIDs.contains(id) else { return }
      out += Array((tokenizer.token(of: id) ?? "").utf8)
    }

    mutating func finish(to out: inout [UInt8]) {}
  }

  /// ChatML's tokens: `<|im_start|>` is 0 and `<|im_end|>`, also the end of sequence, 1.
  static var chatML: CharacterTokenizer {
    CharacterTokenizer(specials: ["<|im_start|>", "<|im_end|>", "<|endoftext|>"], bos: nil, eos: 2)
  }

  /// The ids of plain text.
  func plain(_ text: String) -> [Int32] { text.unicodeScalars.map { Int32(1000 + $0.value) } }
}

extension Sample {
  /// The original's `target_mask`: 1 where the token itself is learnt.
  var mask: [Int] {
    tokens.indices.map { position in targets.contains { $0.contains(position) } ? 1 : 0 }
  }
}
