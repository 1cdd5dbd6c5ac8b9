/// The files of a model's folder by their names, as Hugging Face folders have them.
package enum ModelFiles {
  package static let config = "config.json"
  package static let tokenizerConfig = "tokenizer_config.json"
  package static let generationConfig = "generation_config.json"
  /// A tokenizer's vocabulary, in the order in which it is looked for.
  package static let vocabularies = ["tokenizer.json", "tokenizer.model", "qwen.tiktoken"]
  /// What a tokenizer and its chat template are made of; each folder has some of them.
  package static let tokenizer = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "qwen.tiktoken", chatTemplate,
  ]
  package static let chatTemplate = "chat_template.jinja"
  /// A folder of further chat templates.
  package static let furtherTemplates = "additional_chat_templates"

  /// Whether the file, beside the others, says what may be done with the model.
  package static func isLicence(_ name: String) -> Bool {
    ["LICENSE", "LICENCE", "NOTICE", "USE_POLICY"].contains { name.uppercased().hasPrefix($0) }
  }

  /// Tensors in one file, or in shards with an index.
  package struct Weights: Sendable {
    /// The only file of a small model.
    package let single: String
    /// Which shard holds which tensor: `{"weight_map": {"tensor": "file"}}`.
    package let index: String
  }

  package static let safeTensors = Weights(single: "model.safetensors", index: "model.safetensors.index.json")
  package static let torch = Weights(single: "pytorch_model.bin", index: "pytorch_model.bin.index.json")

  /// In the order in which a folder's weights are looked for: safetensors go before PyTorch's files, and one file before
  /// an index, as in transformers.
  package static let weights = [safeTensors, torch]

  package static let adapterConfig = "adapter_config.json"
  /// In the order in which they are looked for; the second is older PEFT's.
  package static let adapterWeights = ["adapter_model.safetensors", "adapter_model.bin"]

  /// A whole model in one file.
  package static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

  /// File by tensor name, from an index.
  ///
  /// - Throws: `FireflyError` when it is no index, or names a file that is not in its own folder.
  package static func weightMap(of index: String) throws -> [String: String] {
    guard let members = try JSONValue.read(index)["weight_map"]?.object else {
      throw FireflyError(
        "the index lacks weight_map", at: index, expected: "an object of tensor names and files")
    }
    return try members.reduce(into: [:]) { map, member in
      guard let file = member.value.string, !file.isEmpty, !file.contains("/") else {
        throw FireflyError(
          "a file name in weight_map is wrong", at: "\(index): \(member.key)",
          expected: "the name of a file in the same folder", found: member.value.text())
      }
      map[member.key] = file
    }
  }
}
