import FireflyBase
import FireflyJinja

/// Where the answers stand in what a template writes.
///
/// A `{% generation %}` block says so itself. Otherwise: every message's text is marked, and the marks tell which part of the
/// result came from it, whatever the template trimmed or dropped. An answer begins where the generation prompt ends, so
/// that what the template puts before its text (an empty `<think>` block, a space) is learnt when the model has to produce
/// it. It ends behind the first special token after its text, which is the stop token; what follows up to the next
/// message (a newline) is not learnt, since generation never gets there.
extension JinjaFormat {
  /// A conversation as text.
  struct Written {
    var text: MarkedText
    /// The answers as bytes of `text`, ascending.
    var answers: [Range<Int>]
    var losesSystem: Bool
    /// The special token that ends the last answer; nil when none does.
    var stopID: Int32?
  }

  /// - Throws: `FireflyError` for what the template refuses, and when an answer cannot be found in what it writes.
  func written(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> Written {
    var messages = conversation.system.map { [Message(role: "system", content: $0)] } ?? []
    let first = messages.count
    for turn in conversation.turns {
      messages.append(Message(role: "user", content: turn.human))
      messages.append(Message(role: "assistant", content: turn.assistant))
    }
    let whole = try rendered(messages, forAnswer: false, now: JinjaFormat.rowDate, tokenizer)
    let extents = JinjaFormat.extents(whole.text, count: messages.count)
    let losesSystem = first == 1 && !messages[0].content.isEmpty && extents[0] == nil
    guard whole.generations.isEmpty else {
      let last = whole.generations.last.map { whole.text.slice($0).text } ?? ""
      return Written(
        text: whole.text, answers: whole.generations, losesSystem: losesSystem,
        stopID: try tokenizer.encode(last, parseSpecial: true).last.flatMap {
          isStop($0, tokenizer) ? $0 : nil
        })
    }

    let prompt = try rendered(messages.dropLast(), forAnswer: true, now: JinjaFormat.rowDate, tokenizer).text
    let lead = try lead(of: prompt, lastMessage: messages.count - 2, messages)
    var written = Written(text: whole.text, answers: [], losesSystem: losesSystem)
    for index in stride(from: first + 1, to: messages.count, by: 2) {
      let start = try start(of: index, whole.text, extents, lead: lead, messages, tokenizer)
      let textEnd = max(start, extents[index]?.upperBound ?? start)
      let next =
        extents[(index + 1)...].lazy.compactMap { $0 }.first?.lowerBound ?? whole.text.text.utf8.count
      guard textEnd <= next else { throw cannotFind(index, "it lies behind the message that follows it") }
      let stop = try stop(in: whole.text, textEnd..<next, tokenizer)
      written.answers.append(start..<stop.end)
      written.stopID = stop.id
    }
    return written
  }

  /// What came from each message, from its first to its last byte; nil for one that left no trace.
  private static func extents(_ text: MarkedText, count: Int) -> [Range<Int>?] {
    var extents = [Range<Int>?](repeating: nil, count: count)
    for mark in text.marks {
      let start = extents[mark.source]?.lowerBound ?? mark.range.lowerBound
      extents[mark.source] = start..<mark.range.upperBound
    }
    return extents
  }

  /// What the template writes between the last message of the user and an answer.
  private func lead(of prompt: MarkedText, lastMessage: Int, _ messages: [Message]) throws -> Substring
    .UTF8View?
  {
    guard let extent = JinjaFormat.extents(prompt, count: messages.count)[lastMessage] else { return nil }
    let utf8 = prompt.text.utf8
    return prompt.text[utf8.index(utf8.startIndex, offsetBy: extent.upperBound)...].utf8
  }

  /// Where the generation prompt before the answer `index` ends.
  private func start(
    of index: Int, _ text: MarkedText, _ extents: [Range<Int>?], lead: Substring.UTF8View?,
    _ messages: [Message], _ tokenizer: any Tokenizer
  ) throws -> Int {
    let own = extents[index]
    guard own != nil || messages[index].content.strippedAsPython.isEmpty else {
      throw cannotFind(index, "its text is not written as it is")
    }
    guard let question = extents[index - 1]?.upperBound, let lead else {
      // An empty question leaves no trace.
      let prompt = try rendered(messages[..<index], forAnswer: true, now: JinjaFormat.rowDate, tokenizer).text
      if text.hasPrefix(prompt) { return prompt.text.utf8.count }
      if let own { return own.lowerBound }
      throw cannotFind(index, "neither it nor the message before it is written as it is")
    }
    let utf8 = text.text.utf8
    let rest = utf8[utf8.index(utf8.startIndex, offsetBy: question)...]
    let shared = zip(rest, lead).prefix { $0 == $1 }.count
    let start = JinjaFormat.scalarStart(question + shared, utf8)
    guard let own else { return start }
    guard own.lowerBound >= question else { throw cannotFind(index, "it stands before its question") }
    return min(start, own.lowerBound)
  }

  /// The last place at or before `offset` where a character's scalar begins.
  private static func scalarStart(_ offset: Int, _ utf8: String.UTF8View) -> Int {
    var offset = offset
    while offset > 0, offset < utf8.count, utf8[utf8.index(utf8.startIndex, offsetBy: offset)] & 0xC0 == 0x80
    {
      offset -= 1
    }
    return offset
  }

  /// The first special token in `gap`, what stands between an answer's text and the next message, and the place behind
  /// it; without one, the start of the gap.
  private func stop(in text: MarkedText, _ gap: Range<Int>, _ tokenizer: any Tokenizer) throws -> (
    end: Int, id: Int32?
  ) {
    let between = text.slice(gap)
    guard !gap.isEmpty,
      let id = try tokenizer.encode(between.text, parseSpecial: true).first(where: { isStop($0, tokenizer) }),
      let place = tokenizer.token(of: id).flatMap({ between.ranges(of: MarkedText($0), limit: 1).first })
    else { return (gap.lowerBound, nil) }
    return (gap.lowerBound + place.upperBound, id)
  }

  /// Whether a token can end an answer: a special one that does not begin a text.
  private func isStop(_ id: Int32, _ tokenizer: any Tokenizer) -> Bool {
    id == tokenizer.eos || (id != tokenizer.bos && tokenizer.specialIDs.contains(id))
  }

  private func cannotFind(_ index: Int, _ why: String) -> FireflyError {
    FireflyError(
      "cannot find an answer in what the model's own chat template writes: \(why)",
      at: "message \(index + 1)",
      fix: "Choose a template by name instead of \"auto\".")
  }

  // MARK: - From bytes to tokens

  /// The whole text's tokens, and the answers as ranges of them.
  ///
  /// The text is tokenised in one go, as it will be in chat. When the parts between the borders give the same tokens one by
  /// one, which holds wherever special tokens stand at the borders, their counts tell where the borders are. Otherwise a
  /// border lies where the tokens of the text before it cease to be those of the whole: a token that spans it belongs to
  /// what follows.
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
      counts = try borders.map { border in
        let before = try tokenizer.encode(text.slice(0..<border).text, parseSpecial: true)
        return zip(before, tokens).prefix { $0 == $1 }.count
      }
    }
    let ranges = answers.indices.map { counts[2 * $0]..<max(counts[2 * $0], counts[2 * $0 + 1]) }
    return (tokens, ranges)
  }
}
