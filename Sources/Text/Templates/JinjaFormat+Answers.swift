import FireflyBase
import FireflyJinja

/// Where the answers stand in what a template writes.
///
/// A `{% generation %}` block says so itself. Otherwise: every message's texts are marked, and the marks tell which part of
/// the result came from it, whatever the template trimmed or dropped. An answer begins where the generation prompt ends, so
/// that what the template puts before its text (an empty `<think>` block, a space) is learnt when the model has to produce
/// it. It ends behind the first special token after its text, which is the stop token; what follows up to the next
/// message (a newline) is not learnt, since generation never gets there.
extension JinjaFormat {
  /// A conversation as text.
  struct Written {
    var text: MarkedText
    /// The answers as bytes of `text`, ascending; empty ranges for those that are not to be learnt.
    var answers: [Range<Int>]
    var lost: Set<LostPart>
    /// The special token that ends the last answer; nil when none does.
    var stopID: Int32?
  }

  /// - Throws: `FireflyError` for what the template refuses, and when an answer cannot be found in what it writes.
  func written(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> Written {
    let system = conversation.system.map { [Message(role: "system", content: $0)] } ?? []
    let messages = system + conversation.messages
    if conversation.hasToolMessages && !hasPlaceForTools {
      return Written(text: MarkedText(), answers: [], lost: [.toolMessages])
    }
    let whole = try rendered(
      messages, tools: conversation.tools, forAnswer: false, now: JinjaFormat.rowDate, tokenizer)
    let traces = Traces(whole.text, count: messages.count)
    var written = Written(
      text: whole.text, answers: [], lost: traces.lost(of: messages, tools: conversation.tools))
    guard !written.lost.contains(.toolMessages) else { return written }
    if whole.generations.isEmpty {
      var finder = AnswerFinder(
        format: self, tokenizer: tokenizer, messages: messages, tools: conversation.tools, text: whole.text,
        traces: traces)
      for index in messages.indices where messages[index].role == "assistant" {
        let answer = try finder.answer(index)
        written.answers.append(messages[index].isLearnt ? answer.bytes : answer.start..<answer.start)
        written.stopID = answer.stopID
      }
    } else {
      written.answers = zip(whole.generations, generated(whole, messages)).map { block, index in
        messages[index].isLearnt ? block : block.lowerBound..<block.lowerBound
      }
      written.stopID = try whole.generations.last.flatMap {
        try stop(atEndOf: whole.text.slice($0), tokenizer)
      }
    }
    return written
  }

  private var hasPlaceForTools: Bool { reads("tool_calls") || reads("tool") || reads("metadata") }

  // MARK: - Generation blocks

  /// The message that each generation block is of: the one whose text stands in it; for a block without any, the next
  /// answer.
  private func generated(_ rendering: JinjaRendering, _ messages: [Message]) -> [Int] {
    let answers = messages.indices.filter { messages[$0].role == "assistant" }
    var found: [Int] = []
    var next = answers[...]
    for block in rendering.generations {
      let traced = rendering.text.slice(block).marks.lazy.compactMap { Origin.message($0.source) }
        .first { messages[$0].role == "assistant" }
      let index = traced ?? next.first ?? answers.last ?? 0
      found.append(index)
      next = next.drop { $0 <= index }
    }
    return found
  }

  /// The special token at the end of a generation block, white space behind it or not.
  private func stop(atEndOf block: MarkedText, _ tokenizer: any Tokenizer) throws -> Int32? {
    for id in try tokenizer.encode(block.text, parseSpecial: true).reversed() {
      if tokenizer.canEndAnswer(id) { return id }
      guard tokenizer.decode([id], skipSpecial: false).strippedAsPython.isEmpty else { return nil }
    }
    return nil
  }

  // MARK: - From bytes to tokens

  /// The whole text's tokens, and the answers as ranges of them.
  ///
  /// The text is tokenised in one go, as it will be in chat. When the parts between the borders give the same tokens one by
  /// one, which holds wherever special tokens stand at the borders, their counts tell where the borders are. Otherwise a
  /// border lies where the tokens of the text before it cease to be those of the whole: a token that spans it belongs to
  /// what follows. That text is read from the last special token on, behind which tokenising begins anew: all of it at every
  /// border would take the square of the conversation's length.
  static func tokens(
    of text: MarkedText, _ answers: [Range<Int>], _ tokenizer: any Tokenizer
  ) throws -> (tokens: [Int32], answers: [Range<Int>]) {
    let tokens = try tokenizer.encode(text.text, parseSpecial: true)
    let borders = answers.flatMap { [$0.lowerBound, $0.upperBound] }
    var counts: [Int] = []
    var joined: [Int32] = []
    var start = 0
    for border in borders + [text.text.utf8.count] {
      let part = text.slice(start..<border).text
      if !part.isEmpty { joined += try tokenizer.encode(part, parseSpecial: true) }
      counts.append(joined.count)
      start = border
    }
    if joined != tokens {
      var anchors = SpecialPlaces(text.text, tokens, tokenizer)
      counts = try borders.map { border in
        let anchor = anchors.last(before: border)
        var before = try tokenizer.encode(text.slice(anchor.offset..<border).text, parseSpecial: true)[...]
        // What a tokenizer puts before a text stands before the special token.
        if anchor.index > 0 { before = before.drop { $0 != tokens[anchor.index] } }
        return anchor.index + zip(before, tokens[anchor.index...]).prefix { $0 == $1 }.count
      }
    }
    let ranges = answers.indices.map { counts[2 * $0]..<max(counts[2 * $0], counts[2 * $0 + 1]) }
    return (tokens, ranges)
  }
}

/// Where special tokens stand, in a text and among its tokens.
private struct SpecialPlaces {
  /// From the text's beginning.
  private var places: [(offset: Int, end: Int, index: Int)] = [(0, 0, 0)]
  private var next = 0

  init(_ text: String, _ tokens: [Int32], _ tokenizer: any Tokenizer) {
    let bytes = Array(text.utf8)
    var from = 0
    let special = tokenizer.specialIDs.subtracting([tokenizer.unk].compactMap(\.self))
    for (index, id) in tokens.enumerated() where special.contains(id) {
      let token = Array((tokenizer.token(of: id) ?? "").utf8)
      guard !token.isEmpty, let found = bytes[from...].firstRange(of: token) else { return }
      places.append((found.lowerBound, found.upperBound, index))
      from = found.upperBound
    }
  }

  /// The last one that ends at or before an offset; offsets are asked for in ascending order.
  mutating func last(before offset: Int) -> (offset: Int, index: Int) {
    while next + 1 < places.count, places[next + 1].end <= offset { next += 1 }
    return (places[next].offset, places[next].index)
  }
}
