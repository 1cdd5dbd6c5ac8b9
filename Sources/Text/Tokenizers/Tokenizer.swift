/// Text to token ids and back.
///
/// Values are immutable and safe to use from several threads at once.
public protocol Tokenizer: Sendable {
  /// One more than the largest id that has a token.
  var vocabularySize: Int { get }
  /// Beginning of text; nil when the vocabulary names none.
  var bos: Int32? { get }
  /// End of text; nil when the vocabulary names none.
  var eos: Int32? { get }
  /// Padding; nil when the vocabulary names none.
  var pad: Int32? { get }
  /// Unknown text; nil when the vocabulary names none.
  var unk: Int32? { get }
  /// Whether the model expects `bos` before a text (`encode` never adds it).
  var addsBOS: Bool { get }
  /// Whether the model expects `eos` after a text (`encode` never adds it); false unless a tokenizer says so.
  var addsEOS: Bool { get }
  /// What goes before a text that stands alone: `bos` where the model expects it, and what else its tokenizer puts there.
  var textStart: [Int32] { get }
  /// What goes behind a text that stands alone.
  var textEnd: [Int32] { get }
  /// The ids that `skipSpecial` leaves out of decoded text.
  var specialIDs: Set<Int32> { get }
  /// The Jinja chat template that came with the tokenizer.
  var chatTemplate: String? { get }
  /// The further one called "tool_use", which transformers takes for conversations with tools; nil when there is none.
  var toolTemplate: String? { get }
  /// A line for each key of its files that has no effect, for the user to read.
  var notes: [String] { get }

  /// The ids of `text`, without BOS or EOS.
  ///
  /// Added tokens that are not special always become their ids, as in Hugging Face's tokenizers.
  /// - Parameter parseSpecial: whether strings of special tokens inside `text` become their ids too;
  ///   otherwise they are ordinary text (Hugging Face's `split_special_tokens=True`).
  /// A byte that a byte-level vocabulary lacks is left out, as Hugging Face's tokenizers do.
  /// - Throws: `FireflyError` when a vocabulary of characters has neither the character nor an unknown token.
  func encode(_ text: String, parseSpecial: Bool) throws -> [Int32]

  /// The exact token of `id`, as the vocabulary spells it (`Ġthe`, `▁the`, `<0x0A>`); nil when there is none.
  func token(of id: Int32) -> String?

  /// The id of a token as the vocabulary spells it; nil when there is none.
  func id(of token: String) -> Int32?

  /// Decodes ids as they come; what it yields in total equals `decode`.
  func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder
}

extension Tokenizer {
  public var addsEOS: Bool { false }
  public var toolTemplate: String? { nil }
  public var notes: [String] { [] }

  /// The text of `ids`; ids without a token give nothing, bytes that are not UTF-8 give U+FFFD.
  public func decode(_ ids: [Int32], skipSpecial: Bool) -> String {
    var decoder = makeStreamingDecoder(skipSpecial: skipSpecial)
    var text = ""
    for id in ids { text += decoder.append(id) }
    return text + decoder.finish()
  }

  /// The ids of a text that stands alone: with `textStart` in front, special tokens parsed.
  public func textTokens(_ text: String) throws -> [Int32] {
    textStart + (try encode(text, parseSpecial: true))
  }

  public var textStart: [Int32] { addsBOS ? bos.map { [$0] } ?? [] : [] }
  public var textEnd: [Int32] { addsEOS ? eos.map { [$0] } ?? [] : [] }

  /// Whether both give the ids of the smaller vocabulary to the same tokens, and tell the same of them apart as special.
  package func makesTokens(of other: any Tokenizer) -> Bool {
    let ids = 0..<Int32(clamping: min(vocabularySize, other.vocabularySize))
    return ids.allSatisfy {
      token(of: $0) == other.token(of: $0) && specialIDs.contains($0) == other.specialIDs.contains($0)
    }
  }

  /// The token of `eos`, as templates write it.
  public var eosText: String? { eos.flatMap(token(of:)) }
  /// The token of `bos`, as templates write it.
  public var bosText: String? { bos.flatMap(token(of:)) }
}
