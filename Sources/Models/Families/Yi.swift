import FireflyBase

/// Yi as first published (`model_type` Yi): LLaMA with other names of the norms. Later folders say llama.
enum Yi {
  static func architecture(_ config: KeyReader) throws -> Architecture {
    var architecture = try Llama.architecture(config)
    architecture.names.attentionNorm = "ln1"
    architecture.names.feedForwardNorm = "ln2"
    return architecture
  }
}
