import FireflyBase

/// Tells calls from text in an answer, as it comes.
///
/// What is no call is given back as text, in order and unchanged but for white space around calls; a call comes when it is
/// whole. What looks like a call and is none, because the model has spelled it wrong, comes as text.
package struct ToolCallParser: Sendable {
  package enum Event: Equatable, Sendable {
    case text(String)
    case call(ToolCall)
  }

  private let bodies: ToolCallBodies
  private let frame: ToolForm.Frame
  private var state = State.outside
  /// What is not decided yet.
  private var pending = ""
  private var hasCalls = false
  /// White space behind a call is none of the text.
  private var skipsSpace = false

  private enum State {
    case outside, inside
    /// Only text can follow.
    case text
  }

  /// - Parameters:
  ///   - tools: those that may be called, in OpenAI's form: their schemas tell numbers from texts where the syntax does not, and
  ///     their names tell a call from other JSON where it has no marks (`glm`, `llama`). nil when they are not known.
  package init(_ syntax: ToolSyntax, tools: [OrderedJSON]? = nil) {
    bodies = ToolCallBodies(syntax: syntax, tools: tools)
    frame = ToolForm.of(syntax).frame
  }

  /// What a further piece of the answer makes certain.
  package mutating func append(_ piece: String) -> [Event] {
    pending += piece
    return step(isLast: false)
  }

  /// What is left at the end of the answer.
  package mutating func finish() -> [Event] { step(isLast: true) }

  /// All of an answer.
  package static func parse(_ text: String, _ syntax: ToolSyntax, tools: [OrderedJSON]? = nil) -> [Event] {
    var parser = ToolCallParser(syntax, tools: tools)
    var events: [Event] = []
    for event in parser.append(text) + parser.finish() {
      if case .text(let more) = event, case .text(let before)? = events.last {
        events[events.count - 1] = .text(before + more)
      } else {
        events.append(event)
      }
    }
    return events
  }

  private mutating func step(isLast: Bool) -> [Event] {
    switch frame {
    case .marked(let open, let close, let noise): marked(open, close, noise, isLast)
    case .leading: leading(isLast)
    case .prefixed(let mark): prefixed(mark, isLast)
    case .addressed(let mark): addressed(mark, isLast)
    }
  }

  // MARK: - Between marks

  private mutating func marked(_ open: String, _ close: String, _ noise: [String], _ isLast: Bool) -> [Event]
  {
    var events: [Event] = []
    while true {
      if state == .inside {
        guard let found = body(close, isLast) else { break }
        events += take(found)
        state = .outside
      } else {
        for mark in noise { pending = pending.replacing(mark, with: "") }
        guard let start = pending.firstRange(of: open) else { break }
        events += text(String(pending[..<start.lowerBound]), beforeCall: true)
        pending = String(pending[start.upperBound...])
        state = .inside
      }
    }
    if state == .outside {
      events += releaseText(before: [open] + noise, isLast)
    } else if isLast {
      events += text(open + pending, beforeCall: false)
      pending = ""
    }
    return events
  }

  /// The calls up to the first closing mark that makes a call whole; the mark may be missing at the end.
  private func body(_ close: String, _ isLast: Bool) -> (calls: [ToolCall], rest: String)? {
    for end in pending.ranges(of: close) {
      let calls = bodies.calls(in: String(pending[..<end.lowerBound]))
      if !calls.isEmpty { return (calls, String(pending[end.upperBound...])) }
    }
    let calls = isLast ? bodies.calls(in: pending) : []
    return calls.isEmpty ? nil : (calls, "")
  }

  // MARK: - At the beginning

  private mutating func leading(_ isLast: Bool) -> [Event] {
    guard state != .text else { return releaseText(before: [], isLast) }
    let start = pending.drop(while: \.isWhitespace)
    guard bodies.mayBegin(String(start), isFirst: !hasCalls, hadSpace: start.count < pending.count) else {
      state = .text
      return releaseText(before: [], isLast)
    }
    guard let (calls, rest) = bodies.leadingCalls(in: String(start), isLast: isLast) else {
      return isLast ? releaseText(before: [], true) : []
    }
    guard !calls.isEmpty else {
      state = .text
      return releaseText(before: [], isLast)
    }
    return take((calls, rest)) + (pending.isEmpty ? [] : leading(isLast))
  }

  // MARK: - Behind a mark

  private mutating func prefixed(_ mark: String, _ isLast: Bool) -> [Event] {
    var events: [Event] = []
    while true {
      if state == .inside {
        guard let (calls, rest) = bodies.leadingCalls(in: pending, isLast: isLast) else { break }
        guard !calls.isEmpty else {
          events += text(mark, beforeCall: false)
          state = .outside
          continue
        }
        events += take((calls, rest))
        state = .outside
      } else {
        guard let start = pending.firstRange(of: mark) else { break }
        events += text(String(pending[..<start.lowerBound]), beforeCall: true)
        pending = String(pending[start.upperBound...])
        state = .inside
      }
    }
    if state == .outside {
      events += releaseText(before: [mark], isLast)
    } else if isLast {
      events += text(mark + pending, beforeCall: false)
      pending = ""
    }
    return events
  }

  // MARK: - Behind a recipient's line

  /// What is said to people is sent to this one.
  private static let everyone = "all"

  /// The prompt has written the first mark.
  private mutating func addressed(_ mark: String, _ isLast: Bool) -> [Event] {
    var events: [Event] = []
    while true {
      switch state {
      case .outside:
        if pending.hasPrefix(mark) { pending.removeFirst(mark.count) }
        guard let (line, rest) = pending[...].cut(at: "\n") else {
          guard isLast || !(mark.hasPrefix(pending) || pending.allSatisfy(\.isNameLike)) else {
            return events
          }
          state = .text
          continue
        }
        let isText = line == Self.everyone
        if isText { pending = String(rest) }
        state = isText || !bodies.isName(line) ? .text : .inside
      case .inside:
        let arguments = pending[...].cut(at: "\n")?.after.drop(while: \.isWhitespace) ?? ""
        let end = arguments.hasPrefix("{") ? arguments.jsonEnd : nil
        guard end != nil || isLast || !arguments.isEmpty && !arguments.hasPrefix("{") else { return events }
        state = .text
        let calls = end.map { bodies.calls(in: String(pending[..<$0])) } ?? []
        if let end, !calls.isEmpty { events += take((calls, String(pending[end...]))) }
      case .text:
        guard let next = pending.firstRange(of: mark) else {
          return events + releaseText(before: [mark], isLast)
        }
        events += text(String(pending[..<next.lowerBound]), beforeCall: true)
        pending = String(pending[next.upperBound...])
        state = .outside
      }
    }
  }

  // MARK: - Text

  private mutating func take(_ found: (calls: [ToolCall], rest: String)) -> [Event] {
    (hasCalls, skipsSpace) = (true, true)
    pending = found.rest
    return found.calls.map(Event.call)
  }

  /// Gives back the text that is certain: neither a mark nor white space that may stand before one.
  private mutating func releaseText(before marks: [String], _ isLast: Bool) -> [Event] {
    var certain = pending[...]
    if !isLast && !marks.isEmpty {
      let held = marks.map { pending.overlap(with: $0) }.max() ?? 0
      certain = certain.dropLast(held)
      while certain.last?.isWhitespace == true { certain.removeLast() }
    }
    pending = String(pending[certain.endIndex...])
    return text(String(certain), beforeCall: false)
  }

  /// - Parameter beforeCall: white space at the end is none of the text.
  private mutating func text(_ text: String, beforeCall: Bool) -> [Event] {
    var text = text[...]
    if beforeCall { while text.last?.isWhitespace == true { text.removeLast() } }
    if skipsSpace { text = text.drop(while: \.isWhitespace) }
    guard !text.isEmpty else { return [] }
    skipsSpace = false
    return [.text(String(text))]
  }
}

extension String {
  /// How many characters at the end are the beginning of `mark`.
  func overlap(with mark: String) -> Int {
    (1..<mark.count).last { count in hasSuffix(mark.prefix(count)) } ?? 0
  }
}
