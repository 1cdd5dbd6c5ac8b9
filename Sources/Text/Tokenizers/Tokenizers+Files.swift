extension Tokenizers {
  /// The files of a model folder that its tokenizer and chat template are made of; each folder has some of them.
  package static let fileNames = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "qwen.tiktoken", "chat_template.jinja",
  ]
}
