/// What a family's own Python code knows about its tokenizer and none of its files says.
struct FamilyTokens {
  /// Tokens beside the pieces.
  private(set) var tokens: [AddedToken] = []
  /// Whether texts begin with BOS when tokenizer_config.json does not say so.
  private(set) var addsBOS = true
  private(set) var padsWithUnknown = false
  private(set) var wordRule = AddedTokens.WordRule.spaces

  /// - Parameter pieces: those of tokenizer.model.
  init(_ config: TokenizerConfig, pieces: TokenTable) {
    switch config.tokenizerClass {
    case "ChatGLMTokenizer":
      // Structure around a conversation; `sop` and `eop` are also parts of words.
      let names = [
        "[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", "<|system|>", "<|user|>", "<|assistant|>",
        "<|observation|>",
      ]
      tokens = names.enumerated().map { index, name in
        AddedToken(
          name, id: Int32(pieces.limit + index), special: true, singleWord: name == "sop" || name == "eop")
      }
      addsBOS = false
      padsWithUnknown = true
      wordRule = .wordCharacters
    case "InternLM2Tokenizer":
      // Early folders do not name the chat's tokens, which took the place of unused pieces.
      let places = [("<|im_start|>", "[UNUSED_TOKEN_146]"), ("<|im_end|>", "[UNUSED_TOKEN_145]")]
      for (name, unused) in places where !config.addedTokens.contains(where: { $0.content == name }) {
        if let id = pieces.id(of: unused) { tokens.append(AddedToken(name, id: id, special: true)) }
      }
    default: break
    }
  }

  /// Tokens that tokenizer.json lists as plain but that are the structure of a conversation (Gemma's).
  static let alwaysSpecial: Set<String> = ["<start_of_turn>", "<end_of_turn>"]
}
