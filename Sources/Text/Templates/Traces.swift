import FireflyBase
import FireflyJinja

/// What a rendered text shows of each message.
struct Traces {
  /// By message, from the first to the last byte that came from it; nil for one that left no trace.
  let extents: [Range<Int>?]
  private let sources: Set<Int>
  /// The messages whose calls are there.
  private let called: Set<Int>

  init(_ text: MarkedText, count: Int) {
    var extents = [Range<Int>?](repeating: nil, count: count)
    var names: Set<Int> = []
    for mark in text.marks {
      guard let index = Origin.message(mark.source) else { continue }
      // A call's name may stand again beside what the tool said.
      if Origin.isCallName(mark.source) && !names.insert(mark.source).inserted { continue }
      let start = extents[index]?.lowerBound ?? mark.range.lowerBound
      extents[index] = start..<mark.range.upperBound
    }
    self.extents = extents
    sources = Set(text.marks.map(\.source))
    called = Set(sources.filter(Origin.isCall).compactMap(Origin.message))
  }

  /// What the messages have and the text does not.
  func lost(of messages: [Message], tools: [OrderedJSON]?) -> Set<LostPart> {
    var lost: Set<LostPart> = []
    if tools?.isEmpty == false && !sources.contains(Origin.tools) { lost.insert(.tools) }
    for (index, message) in messages.enumerated() {
      let hasContent = sources.contains(Origin.content(index))
      if message.hasName && !sources.contains(Origin.name(index)) { lost.insert(.name) }
      switch message.role {
      case "system": if !message.content.isEmpty && extents[index] == nil { lost.insert(.system) }
      case "tool": if message.content.hasInk && !hasContent { lost.insert(.toolMessages) }
      case "assistant":
        if !message.toolCalls.isEmpty {
          if !called.contains(index) { lost.insert(.toolMessages) }
          if message.answerText.hasInk && !hasContent { lost.insert(.answerText) }
        }
        if message.hasReasoning && !sources.contains(Origin.reasoning(index)) { lost.insert(.reasoning) }
      default: break
      }
    }
    return lost
  }
}

extension Message {
  /// A tool's name tells no more than the call it answers.
  var hasName: Bool { role != "tool" && members["name"]?.string?.hasInk == true }

  var hasReasoning: Bool {
    if reasoning?.hasInk == true { return true }
    return reasoningInContent.map { MarkedText(content).slice($0).text.hasInk } ?? false
  }

  /// The content without the reasoning in it.
  fileprivate var answerText: String {
    guard let range = reasoningInContent else { return content }
    return MarkedText(content).slice(range.upperBound..<content.utf8.count).text.replacing(
      "</think>", with: "")
  }
}

extension String {
  fileprivate var hasInk: Bool { !strippedAsPython.isEmpty }
}

extension Tokenizer {
  /// Whether a token can end an answer: a special one that does not begin a text.
  func canEndAnswer(_ id: Int32) -> Bool { id == eos || (id != bos && specialIDs.contains(id)) }
}
