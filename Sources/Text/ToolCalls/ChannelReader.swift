import FireflyBase

/// Takes an answer in channels apart as it comes (OpenAI's harmony format, which gpt-oss writes):
/// `<|channel|>analysis<|message|>…<|end|>` is reasoning, `final` and what else has no receiver the answer's text, and what is
/// sent `to=functions.NAME` a call of that tool.
///
/// The prompt ends with `<|start|>assistant`; each further message of the answer begins so.
package struct ChannelReader: Sendable {
  package enum Event: Equatable, Sendable {
    case reasoning(String)
    case text(String)
    case call(ToolCall)
  }

  /// What a message's body is.
  private enum Part: Equatable {
    case reasoning, text
    case call(String)
  }

  private enum State: Equatable {
    case header
    case body(Part)
  }

  private var state: State
  /// What is not decided yet.
  private var pending = ""

  /// - Parameter isInText: whether the prompt ends within the answer's text.
  package init(isInText: Bool = false) { state = isInText ? .body(.text) : .header }

  private static let (start, channel, message) = ("<|start|>", "<|channel|>", "<|message|>")
  private static let constraint = "<|constrain|>"
  /// What ends a message: one of several, a call, the answer.
  private static let ends = ["<|end|>", callEnd, "<|return|>"]
  static let callEnd = "<|call|>"

  /// Special tokens that the reader must see.
  package static let marks = [start, channel, message, constraint] + ends

  /// What a further piece of the answer makes certain.
  package mutating func append(_ piece: String) -> [Event] {
    pending += piece
    return step(isLast: false)
  }

  /// What is left at the end of the answer.
  package mutating func finish() -> [Event] { step(isLast: true) }

  private mutating func step(isLast: Bool) -> [Event] {
    var events: [Event] = []
    while true {
      switch state {
      case .header:
        if let mark = pending.firstRange(of: Self.message) {
          state = .body(Self.part(of: pending[..<mark.lowerBound]))
          pending = String(pending[mark.upperBound...])
        } else if mayBeHeader {
          if isLast { pending = "" }
          return events
        } else {
          state = .body(.text)
        }
      case .body(let part):
        let found = Self.ends.compactMap { pending.firstRange(of: $0) }.min { $0.lowerBound < $1.lowerBound }
        guard let found else { return events + unended(part, isLast) }
        events += Self.events(part, String(pending[..<found.lowerBound]))
        pending = String(pending[found.upperBound...])
        state = .header
      }
    }
  }

  /// Whether what is there may be or become what stands before a message's body.
  private var mayBeHeader: Bool {
    let text = pending.drop(while: \.isWhitespace)
    return [Self.channel, Self.start, Self.constraint, "to="].contains {
      $0.hasPrefix(text) || text.hasPrefix($0)
    }
  }

  /// ` to=functions.NAME<|channel|>commentary json`, `<|channel|>analysis` and the like.
  private static func part(of header: Substring) -> Part {
    let words = header.replacing("<|", with: " <|").split(whereSeparator: \.isWhitespace)
    if let receiver = words.first(where: { $0.hasPrefix("to=") })?.dropFirst("to=".count) {
      return .call(
        String(receiver.hasPrefix("functions.") ? receiver.dropFirst("functions.".count) : receiver))
    }
    let name = header.firstRange(of: channel).map { header[$0.upperBound...].prefix(while: \.isLetter) }
    return name == "analysis" ? .reasoning : .text
  }

  /// A body without its end: a call has to be whole, of other bodies all but the beginning of a mark is certain.
  private mutating func unended(_ part: Part, _ isLast: Bool) -> [Event] {
    if case .call = part, !isLast { return [] }
    let held = isLast ? 0 : Self.ends.map { pending.overlap(with: $0) }.max() ?? 0
    let certain = String(pending.dropLast(held))
    pending = String(pending.suffix(held))
    return Self.events(part, certain)
  }

  /// What is sent to a tool and is no JSON object comes as text.
  private static func events(_ part: Part, _ body: String) -> [Event] {
    guard !body.isEmpty else { return [] }
    switch part {
    case .reasoning: return [.reasoning(body)]
    case .text: return [.text(body)]
    case .call(let name):
      guard let arguments = try? OrderedJSON.parse(body, source: "a call"), arguments.object != nil else {
        return [.text(body)]
      }
      return [.call(ToolCall(name: name, arguments: arguments))]
    }
  }
}
