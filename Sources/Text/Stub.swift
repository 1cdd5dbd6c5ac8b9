import FireflyBase

// Until the tokenizers are delivered, whose file replaces this one.
public enum Tokenizers {
  public static func load(_ path: String) throws -> any Tokenizer {
    throw FireflyError("tokenizers are not built yet", at: path)
  }

  public static func make(_ vocabulary: GGUFVocabulary) throws -> any Tokenizer {
    throw FireflyError("tokenizers are not built yet", at: vocabulary.source)
  }
}
