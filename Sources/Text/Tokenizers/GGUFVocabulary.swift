/// The tokenizer inside a GGUF file (`tokenizer.ggml.*`), as plain values.
public struct GGUFVocabulary: Sendable {
  /// `tokenizer.ggml.model`: "llama" (SentencePiece BPE by scores) or "gpt2" (byte-level BPE).
  public var model: String
  /// `tokenizer.ggml.pre`: which pre-tokenizer a byte-level vocabulary was trained with.
  public var pre: String
  /// The tokens by id.
  public var tokens: [String]
  /// Log-probabilities or negative ranks by id ("llama"); may be empty for "gpt2".
  public var scores: [Float]
  /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; by id; may be empty.
  public var types: [Int32]
  /// Merges as "left right", best first ("gpt2").
  public var merges: [String]
  public var bos: Int32?
  public var eos: Int32?
  public var pad: Int32?
  public var unk: Int32?
  /// `tokenizer.ggml.add_bos_token`.
  public var addBOS: Bool
  /// `tokenizer.ggml.add_eos_token`.
  public var addEOS: Bool
  /// `tokenizer.ggml.add_space_prefix`: whether a text gets a leading space ("llama"; default true).
  public var addSpacePrefix: Bool
  /// `tokenizer.chat_template`.
  public var chatTemplate: String?
  /// The file, for error messages.
  public var source: String

  public init(
    model: String, pre: String, tokens: [String], scores: [Float] = [], types: [Int32] = [],
    merges: [String] = [], bos: Int32? = nil, eos: Int32? = nil, pad: Int32? = nil, unk: Int32? = nil,
    addBOS: Bool, addEOS: Bool = false, addSpacePrefix: Bool = true, chatTemplate: String? = nil,
    source: String
  ) {
    self.model = model
    self.pre = pre
    self.tokens = tokens
    self.scores = scores
    self.types = types
    self.merges = merges
    self.bos = bos
    self.eos = eos
    self.pad = pad
    self.unk = unk
    self.addBOS = addBOS
    self.addEOS = addEOS
    self.addSpacePrefix = addSpacePrefix
    self.chatTemplate = chatTemplate
    self.source = source
  }
}
