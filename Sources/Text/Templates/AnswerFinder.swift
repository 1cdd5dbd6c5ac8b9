import FireflyBase
import FireflyJinja

/// Finds answers in a text that a template without `{% generation %}` has written.
struct AnswerFinder {
  let format: JinjaFormat
  let tokenizer: any Tokenizer
  /// The system message first, where there is one.
  let messages: [Message]
  let tools: [OrderedJSON]?
  /// What the template makes of all messages.
  let text: MarkedText
  let traces: Traces
  /// What the template writes between a message and the answer to it, by who spoke before.
  private var leads: [String: [UInt8]?] = [:]

  init(
    format: JinjaFormat, tokenizer: any Tokenizer, messages: [Message], tools: [OrderedJSON]?,
    text: MarkedText,
    traces: Traces
  ) {
    self.format = format
    self.tokenizer = tokenizer
    self.messages = messages
    self.tools = tools
    self.text = text
    self.traces = traces
  }

  /// An answer as bytes of the text, and the special token that ends it; nil when none does.
  struct Answer {
    var bytes: Range<Int>
    var stopID: Int32?
    var start: Int { bytes.lowerBound }
  }

  /// - Parameter index: of a message of the assistant's.
  /// - Throws: `FireflyError` when the answer cannot be found.
  mutating func answer(_ index: Int) throws -> Answer {
    let next = traces.extents[(index + 1)...].lazy.compactMap { $0 }.first?.lowerBound ?? text.text.utf8.count
    let start = try start(of: index, next: next)
    let textEnd = max(start, traces.extents[index]?.upperBound ?? start)
    guard textEnd <= next else { throw cannotFind(index, "it lies behind the message that follows it") }
    let stop = try stop(in: textEnd..<next, hasCalls: !messages[index].toolCalls.isEmpty)
    return Answer(bytes: start..<stop.end, stopID: stop.id)
  }

  // MARK: - Where it begins

  /// Where the generation prompt before the answer `index` ends.
  private mutating func start(of index: Int, next: Int) throws -> Int {
    let own = traces.extents[index]
    guard own != nil || messages[index].content.strippedAsPython.isEmpty else {
      throw cannotFind(index, "its text is not written as it is")
    }
    guard index > 0, let question = traces.extents[index - 1]?.upperBound,
      let lead = try lead(after: messages[index - 1].role)
    else {
      // An empty question leaves no trace.
      let prompt = try prompt(before: index)
      if text.hasPrefix(prompt) { return prompt.text.utf8.count }
      if let own { return own.lowerBound }
      throw cannotFind(index, "neither it nor the message before it is written as it is")
    }
    if let own, own.lowerBound < question { throw cannotFind(index, "it stands before its question") }
    let gap = text.slice(question..<min(own?.lowerBound ?? next, next))
    let shared = zip(gap.text.utf8, lead).prefix { $0 == $1 }.count
    return question + (shared == lead.count ? shared : try tokenStart(shared, in: gap))
  }

  /// What the template writes before the last answer to a message of this role; nil when the message leaves no trace.
  private mutating func lead(after role: String) throws -> [UInt8]? {
    if let known = leads[role] { return known }
    let last = messages.indices.last {
      $0 > 0 && messages[$0].role == "assistant" && messages[$0 - 1].role == role
    }
    guard let last else { return nil }
    let prompt = try prompt(before: last)
    let extent = Traces(prompt, count: last).extents[last - 1]
    let lead = extent.map { Array(prompt.text.utf8.dropFirst($0.upperBound)) }
    leads[role] = .some(lead)
    return lead
  }

  private func prompt(before index: Int) throws -> MarkedText {
    try format.rendered(
      messages[..<index], tools: tools, forAnswer: true, now: JinjaFormat.rowDate, tokenizer
    ).text
  }

  /// The last place at or before `offset` that lies inside no special token and no character: where the prompt goes on
  /// otherwise than the text, both may still share a token's first bytes.
  private func tokenStart(_ offset: Int, in gap: MarkedText) throws -> Int {
    var from = 0
    for id in try tokenizer.encode(gap.text, parseSpecial: true) where tokenizer.specialIDs.contains(id) {
      guard let token = tokenizer.token(of: id).map({ MarkedText($0) }),
        let place = gap.slice(from..<gap.text.utf8.count).ranges(of: token, limit: 1).first
      else { continue }
      let range = from + place.lowerBound..<from + place.upperBound
      if range.lowerBound >= offset { break }
      if range.upperBound > offset { return range.lowerBound }
      from = range.upperBound
    }
    let utf8 = gap.text.utf8
    var offset = offset
    while offset > 0, offset < utf8.count, utf8[utf8.index(utf8.startIndex, offsetBy: offset)] & 0xC0 == 0x80
    {
      offset -= 1
    }
    return offset
  }

  // MARK: - Where it ends

  /// The special token that ends an answer in what stands between its text and the next message, and the place behind it;
  /// without one, the start of the gap. It is the first; behind calls, which special tokens may close too, the template's
  /// stop token goes before.
  private func stop(in gap: Range<Int>, hasCalls: Bool) throws -> (end: Int, id: Int32?) {
    let between = text.slice(gap)
    guard !gap.isEmpty else { return (gap.lowerBound, nil) }
    let ends = try tokenizer.encode(between.text, parseSpecial: true).filter(tokenizer.canEndAnswer)
    let known = hasCalls ? ends.first { $0 == format.stopID } : nil
    guard let id = known ?? ends.first,
      let place = tokenizer.token(of: id).flatMap({ between.ranges(of: MarkedText($0), limit: 1).first })
    else { return (gap.lowerBound, nil) }
    return (gap.lowerBound + place.upperBound, id)
  }

  private func cannotFind(_ index: Int, _ why: String) -> FireflyError {
    FireflyError(
      "cannot find an answer in what the model's own chat template writes: \(why)",
      at: "message \(index + 1)",
      fix: "Choose a template by name instead of \"auto\".")
  }
}
