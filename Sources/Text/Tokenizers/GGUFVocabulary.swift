import FireflyBase

/// The tokenizer inside a GGUF file (`tokenizer.ggml.*`), as plain values.
package struct GGUFVocabulary: Sendable {
  /// `tokenizer.ggml.model`: "llama" (SentencePiece BPE by scores) or "gpt2" (byte-level BPE).
  package var model: String
  /// `tokenizer.ggml.pre`: which pre-tokenizer a byte-level vocabulary was trained with.
  package var pre: String
  /// The tokens by id.
  package var tokens: [String]
  /// Log-probabilities or negative ranks by id ("llama"); may be empty for "gpt2".
  package var scores: [Float]
  /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; by id; may be empty.
  package var types: [Int32]
  /// Merges as "left right", best first ("gpt2").
  package var merges: [String]
  package var bos: Int32?
  package var eos: Int32?
  package var pad: Int32?
  package var unk: Int32?
  /// `tokenizer.ggml.add_bos_token`.
  package var addBOS: Bool
  /// `tokenizer.ggml.add_eos_token`.
  package var addEOS: Bool
  /// `tokenizer.ggml.add_space_prefix`: whether a text gets a leading space ("llama"; default true).
  package var addSpacePrefix: Bool
  /// `tokenizer.chat_template`.
  package var chatTemplate: String?
  /// `tokenizer.chat_template.tool_use`.
  package var toolTemplate: String?
  /// The file, for error messages.
  package var source: String
  /// A line about what the file says and nobody follows.
  package var notes: [String] = []

  package init(
    model: String, pre: String, tokens: [String], scores: [Float] = [], types: [Int32] = [],
    merges: [String] = [], bos: Int32? = nil, eos: Int32? = nil, pad: Int32? = nil, unk: Int32? = nil,
    addBOS: Bool, addEOS: Bool = false, addSpacePrefix: Bool = true, chatTemplate: String? = nil,
    toolTemplate: String? = nil, source: String
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
    self.toolTemplate = toolTemplate
    self.source = source
  }
}

extension GGUFVocabulary {
  /// The vocabulary of a tokenizer.model, and the tokens that the files beside it add.
  ///
  /// - Parameter tokenizer: made of the model's folder.
  /// - Throws: `FireflyError` when the file is damaged, or no BPE model: GGUF's "llama" merges by scores.
  package init(sentencePiece path: String, _ tokenizer: any Tokenizer) throws {
    let file = try MappedFile(path)
    let model = try withExtendedLifetime(file) { try SentencePieceModel(file.bytes, at: path) }
    guard model.kind == .bpe else {
      throw FireflyError(
        "no GGUF vocabulary can be made of this SentencePiece model", at: path, expected: "BPE",
        found: "\(model.kind)")
    }
    let ids = 0..<tokenizer.vocabularySize
    let (control, userDefined, unused): (Int32, Int32, Int32) = (3, 4, 5)
    self.init(
      model: "llama", pre: "default",
      tokens: ids.map { tokenizer.token(of: Int32($0)) ?? "[PAD\($0)]" },
      scores: ids.map { $0 < model.pieces.count ? model.pieces[$0].score : 0 },
      types: ids.map { id in
        if id < model.pieces.count { return Int32(model.pieces[id].type.rawValue) }
        if tokenizer.token(of: Int32(id)) == nil { return unused }
        return tokenizer.specialIDs.contains(Int32(id)) ? control : userDefined
      },
      bos: tokenizer.bos, eos: tokenizer.eos, pad: tokenizer.pad, unk: tokenizer.unk,
      addBOS: tokenizer.addsBOS, addEOS: tokenizer.addsEOS,
      addSpacePrefix: model.addsSpace, chatTemplate: tokenizer.chatTemplate,
      toolTemplate: tokenizer.toolTemplate, source: path)
  }
}
