import FireflyText

/// An answer's text as its tokens come, up to the first stop string.
struct AnswerText {
  private var decoder: StreamingDecoder
  private var filter: StopFilter
  /// Special tokens that are not shown and that a stop string may spell.
  private let hidden: Set<Int32>
  /// Special tokens that are shown although the decoder leaves them out.
  private let shown: [Int32: String]
  /// Bytes decoded so far, shown or not.
  private(set) var decodedCount = 0

  init(_ options: GenerationOptions, _ tokenizer: any Tokenizer) {
    let special = options.skipsSpecialTokens ? tokenizer.specialIDs : []
    let hidden = options.stopStrings.isEmpty ? [] : special.subtracting(options.shownTokens)
    shown = Dictionary(
      uniqueKeysWithValues: options.shownTokens.intersection(special).compactMap { id in
        tokenizer.token(of: id).map { (id, $0) }
      })
    var specials: [[UInt8]: Int32] = [:]
    for id in hidden {
      if let token = tokenizer.token(of: id), !token.isEmpty { specials[Array(token.utf8)] = id }
    }
    self.hidden = hidden
    decoder = tokenizer.makeStreamingDecoder(skipSpecial: options.skipsSpecialTokens)
    filter = StopFilter(options.stopStrings, specials: specials, keepsStop: options.keepsStopString)
  }

  /// Whether a stop string has come.
  var hasStopped: Bool { filter.hasStopped }

  /// The text that can be shown after a token.
  mutating func append(_ id: Int32) -> String {
    let piece = decoder.append(id) + (shown[id] ?? "")
    decodedCount += piece.utf8.count
    let shown = filter.append(piece)
    return hidden.contains(id) ? shown + filter.append(special: id) : shown
  }

  /// What is left when no more tokens come.
  mutating func finish() -> String { filter.append(decoder.finish()) + filter.finish() }
}
