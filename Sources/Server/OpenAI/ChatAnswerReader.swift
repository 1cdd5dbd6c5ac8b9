import FireflyBase
import FireflyText

/// Takes an answer apart as it comes: reasoning, text, calls of tools.
struct ChatAnswerReader: Sendable {
  enum Event: Equatable, Sendable {
    case reasoning(String)
    case text(String)
    case call(ToolCall)
  }

  private var reasoning: ReasoningReader
  private var calls: ToolCallParser?
  /// In the place of both where answers come in channels.
  private var channels: ChannelReader?
  private let mostCalls: Int
  private var callCount = 0

  /// - Parameters:
  ///   - isThinking: whether the prompt has begun the reasoning.
  ///   - separates: whether reasoning is told from text at all.
  ///   - marks: what stands around reasoning.
  ///   - channels: of a template whose answers come in them.
  init(
    _ tools: ChatTools, isThinking: Bool, separates: Bool, _ marks: ReasoningMarks,
    channels: ChannelReader? = nil
  ) {
    reasoning = ReasoningReader(marks, isThinking: isThinking, separates: separates)
    self.channels = channels
    calls = tools.syntax.map { ToolCallParser($0, tools: tools.described ?? []) }
    mostCalls = tools.mostCalls
    // What the prompt ends with is the beginning of the answer's call.
    if !tools.opening.isEmpty { _ = append(tools.opening) }
  }

  mutating func append(_ piece: String) -> [Event] {
    if let events = channels?.append(piece) { return read(events) }
    return read(reasoning.append(piece))
  }

  mutating func finish() -> [Event] {
    if let events = channels?.finish() { return read(events) }
    var events = read(reasoning.finish())
    events += counted(calls?.finish() ?? [])
    return events
  }

  private mutating func read(_ part: (reasoning: String, text: String)) -> [Event] {
    let thought: [Event] = part.reasoning.isEmpty ? [] : [.reasoning(part.reasoning)]
    guard !part.text.isEmpty else { return thought }
    guard calls != nil else { return thought + [.text(part.text)] }
    return thought + counted(calls?.append(part.text) ?? [])
  }

  private mutating func read(_ events: [ChannelReader.Event]) -> [Event] {
    events.compactMap { event in
      switch event {
      case .reasoning(let thought): .reasoning(thought)
      case .text(let text): .text(text)
      case .call(let call): counted(call)
      }
    }
  }

  private mutating func counted(_ events: [ToolCallParser.Event]) -> [Event] {
    events.compactMap { event in
      switch event {
      case .text(let text): .text(text)
      case .call(let call): counted(call)
      }
    }
  }

  /// nil for one too many.
  private mutating func counted(_ call: ToolCall) -> Event? {
    callCount += 1
    return callCount <= mostCalls ? .call(call) : nil
  }
}

/// Tells what stands between two marks, as `<think>` and `</think>`, at the beginning of an answer from what follows.
private struct ReasoningReader: Sendable {
  private enum State { case start, thinking, text }

  private let marks: ReasoningMarks
  private var state: State
  /// What is not decided yet.
  private var pending = ""
  private var hasThought = false

  init(_ marks: ReasoningMarks, isThinking: Bool, separates: Bool) {
    self.marks = marks
    state = !separates ? .text : isThinking ? .thinking : .start
  }

  mutating func append(_ piece: String) -> (reasoning: String, text: String) {
    pending += piece
    return step(isLast: false)
  }

  mutating func finish() -> (reasoning: String, text: String) { step(isLast: true) }

  private mutating func step(isLast: Bool) -> (reasoning: String, text: String) {
    if state == .start {
      let begin = pending.drop(while: \.isWhitespace)
      if begin.hasPrefix(marks.open) {
        pending = String(begin.dropFirst(marks.open.count))
        state = .thinking
      } else if isLast || !marks.open.hasPrefix(begin) {
        state = .text
      }
    }
    var thought = ""
    if state == .thinking { thought = think(isLast: isLast) }
    guard state == .text else { return (thought, "") }
    // White space between reasoning and text is neither.
    if hasThought {
      pending = String(pending.drop(while: \.isWhitespace))
      hasThought = pending.isEmpty
    }
    defer { pending = "" }
    return (thought, pending)
  }

  /// The reasoning that is certain, without white space around it.
  private mutating func think(isLast: Bool) -> String {
    if !hasThought { pending = String(pending.drop(while: \.isWhitespace)) }
    var thought = pending[...]
    if let end = pending.firstRange(of: marks.close) {
      thought = pending[..<end.lowerBound]
      while thought.last?.isWhitespace == true { thought.removeLast() }
      pending = String(pending[end.upperBound...])
      state = .text
      hasThought = true
      return String(thought)
    }
    if !isLast {
      let held = (1..<marks.close.count).last { pending.hasSuffix(marks.close.prefix($0)) } ?? 0
      thought = thought.dropLast(held)
    }
    while thought.last?.isWhitespace == true { thought.removeLast() }
    pending = isLast ? "" : String(pending[thought.endIndex...])
    hasThought = hasThought || !thought.isEmpty
    return String(thought)
  }
}
