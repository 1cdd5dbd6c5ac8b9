import FireflyBase
import FireflyPretrained
import FireflyText

// The rows of a run.

extension RunConfig {
  /// The files of train_file, as messages name them.
  public var trainFile: String { trainFiles.map(\.path).joined(separator: ", ") }

  /// The rows that are trained on, or those that are held out.
  package func selection(_ part: DataSelection.Part) -> DataSelection {
    DataSelection(
      trainFiles, seed: UInt64(dataSeed), heldOut: heldOut, maxRows: maxSamples, part: part)
  }

  /// How conversations are written; nil for plain texts (task_type "pretrain").
  package func template(_ tokenizer: any Tokenizer) throws -> ChatTemplate? {
    guard task != .pretrain else { return nil }
    return try ChatTemplate.named(templateName, tokenizer: tokenizer, adapter: startAdapter)
      .with(variables: templateVariables)
  }

  /// Says so when "auto" is the template of the adapter that the run starts from, and the model's own writes otherwise.
  package func templateNote(_ template: ChatTemplate?, _ tokenizer: any Tokenizer) -> String? {
    guard let template, let startAdapter, templateName == ChatTemplate.auto,
      let own = try? ChatTemplate.named(ChatTemplate.auto, tokenizer: tokenizer).with(
        variables: templateVariables),
      !template.writes(as: own, tokenizer)
    else { return nil }
    return
      "\"template_name\": \"auto\" is the chat template of \(startAdapter), which is another than the model's own"
  }

  /// - Parameter model: the folder or file whose tokenizer reads the rows.
  package func dataCache(model: String) -> DataCache? {
    dataCacheFolder.map { DataCache(folder: $0, tokenizerPath: model) }
  }

  /// Reads rows as the run does: of preference training as pairs.
  ///
  /// - Parameters:
  ///   - selection: of train_file or of another file.
  ///   - template: nil for plain texts.
  ///   - progress: is told the share done, 0…1, on the calling thread.
  /// - Throws: as `Dataset.load`.
  package func rows(
    _ selection: DataSelection, template: ChatTemplate?, tokenizer: any Tokenizer, cache: DataCache? = nil,
    progress: ((Double) -> Void)? = nil
  ) throws -> Dataset {
    try Dataset.load(
      selection, template: template, learnt: learnt, tokenizer: tokenizer, maxLength: maxSequenceLength,
      maxPromptLength: preference?.maxPromptLength, cache: cache, progress: progress)
  }
}
