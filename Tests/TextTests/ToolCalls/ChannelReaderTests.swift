import FireflyBase
import FireflyText
import Testing

/// Answers in channels, as gpt-oss writes them behind `<|start|>assistant`.
@Suite struct ChannelReaderTests {
  typealias Event = ChannelReader.Event

  private static let weather = Event.call(
    ToolCall(name: "weather", arguments: .object(["city": .string("Rome"), "days": .int(2)])))
  private static let json = #"{"city": "Rome", "days": 2}"#
  private static let thought = "<|channel|>analysis<|message|>It asks <this>.<|end|><|start|>assistant"

  private static let cases: [(String, [Event])] = [
    (thought + "<|channel|>final<|message|>Yes.", [.reasoning("It asks <this>."), .text("Yes.")]),
    (thought + "<|channel|>final<|message|>Yes.<|return|>", [.reasoning("It asks <this>."), .text("Yes.")]),
    // The receiver in either place, and a text for the user before the call.
    (
      thought + " to=functions.weather<|channel|>commentary json<|message|>\(json)<|call|>",
      [.reasoning("It asks <this>."), weather]
    ),
    (
      "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant<|channel|>commentary "
        + "to=functions.weather <|constrain|>json<|message|>\(json)",
      [.text("Let me look."), weather]
    ),
    // No object, or no end of it.
    (" to=functions.weather<|channel|>commentary json<|message|>[1]<|call|>", [.text("[1]")]),
    ("<|channel|>commentary to=functions.weather<|message|>{\"city\":", [.text("{\"city\":")]),
    // Cut off within a thought, within a header; and an answer without channels.
    ("<|channel|>analysis<|message|>It asks", [.reasoning("It asks")]),
    ("<|channel|>fin", []), ("", []), ("{\"a\": 1}", [.text("{\"a\": 1}")]),
    ("tomatoes", [.text("tomatoes")]),
  ]

  /// However the text is cut, what comes out is the same.
  @Test(arguments: cases.indices, [1, 2, 5, 1000]) func readsAnswers(_ index: Int, pieces size: Int) {
    let (text, expected) = Self.cases[index]
    var (reader, events) = (ChannelReader(), [Event]())
    var rest = text[...]
    while !rest.isEmpty {
      events += reader.append(String(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    #expect(joined(events + reader.finish()) == expected, "pieces of \(size): \(text)")
  }

  @Test func anAnswerThatHasBegunGoesOnAsText() {
    var reader = ChannelReader(isInText: true)
    #expect(reader.append("and so on<|ret") == [.text("and so on")])
    #expect(reader.append("urn|>") == [] && reader.finish() == [])
  }

  private func joined(_ events: [Event]) -> [Event] {
    events.reduce(into: []) { all, event in
      switch (all.last, event) {
      case (.text(let before), .text(let more)): all[all.count - 1] = .text(before + more)
      case (.reasoning(let before), .reasoning(let more)): all[all.count - 1] = .reasoning(before + more)
      default: all.append(event)
      }
    }
  }
}
