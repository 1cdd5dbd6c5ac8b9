import FireflyBase

extension Dataset {
  /// Reads rows and tokenises them on all cores; the result does not depend on their number, nor on the cache.
  ///
  /// - Parameters:
  ///   - path: a file of rows in one of the shapes of `RowFormat`: one a line, one JSON list, or a .csv or .tsv table whose
  ///     header names the keys; for plain texts also a .txt file, which is one text, or a folder of such files. Each may be
  ///     packed by gzip.
  ///   - template: how a conversation is written; nil for plain texts, of which every token is a target and which are packed
  ///     into blocks of `maxLength` (`TextPacker`).
  ///   - maxLength: tokens kept of a row (`max_seq_length`); rows that keep no target are dropped and counted.
  ///   - maxPromptLength: makes the rows preference pairs, which become two samples each, the chosen answer's first, and
  ///     says how many tokens a prompt keeps at least (`max_prompt_length`); nil for conversations and texts.
  ///   - cache: where the tokenised rows are kept; nil for a temporary file.
  ///   - progress: is told the share done, 0…1, now and then, on the calling thread.
  /// - Throws: `FireflyError` with file and line for the first row that cannot be read, and when no row is left.
  public static func load(
    _ path: String, template: ChatTemplate?, tokenizer: any Tokenizer, maxLength: Int,
    maxPromptLength: Int? = nil, cache: DataCache? = nil, progress: ((Double) -> Void)? = nil
  ) throws -> Dataset {
    try load(
      DataSelection([DataFile(path)]), template: template, tokenizer: tokenizer, maxLength: maxLength,
      maxPromptLength: maxPromptLength, cache: cache, progress: progress)
  }

  /// Reads the rows of several files, or some of them; the files' rows follow each other.
  ///
  /// - Parameters:
  ///   - selection: the files, each as in the other `load`, and which of their rows are taken.
  ///   - learnt: what is learnt of a conversation.
  /// - Throws: as the other `load`.
  public static func load(
    _ selection: DataSelection, template: ChatTemplate?, learnt: LearntParts = .answers,
    tokenizer: any Tokenizer, maxLength: Int, maxPromptLength: Int? = nil, cache: DataCache? = nil,
    progress: ((Double) -> Void)? = nil
  ) throws -> Dataset {
    guard maxLength >= 2 else {
      throw FireflyError(
        "max_seq_length leaves nothing to predict", at: "max_seq_length", expected: "at least 2",
        found: "\(maxLength)")
    }
    let sources = try selection.files.map { try DataSource($0.path, allowsFolder: template == nil) }
    let builder = DatasetBuilder(
      selection: selection, sources: sources, template: template, learnt: learnt, tokenizer: tokenizer,
      maxLength: maxLength, maxPromptLength: maxPromptLength, progress: progress)
    guard let cache, try sources.reduce(0, { try $0 + $1.byteCount() }) >= cache.smallestBytes else {
      return try builder.inTemporaryFile()
    }
    let key = try DataKey(builder, tokenizerPath: cache.tokenizerPath)
    if let file = cache.stored(key) {
      let report = try DatasetReport(
        stored: file.report(), path: selection.path, files: sources.flatMap(\.files))
      return Dataset(samples: Samples(file: file), report: report)
    }
    let dataset = try builder.build(key: key.digest, at: cache.path(for: key))
    cache.removeOld(key)
    return dataset
  }
}
