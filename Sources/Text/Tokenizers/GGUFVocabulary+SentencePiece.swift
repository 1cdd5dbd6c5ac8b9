import FireflyBase

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
      addSpacePrefix: model.addsSpace, chatTemplate: tokenizer.chatTemplate, source: path)
  }
}
