import FireflyBase

/// One message of a chat: who speaks and what is said.
public struct Message: Equatable, Sendable {
  /// How `content` stands in the message; beside tool calls there is often none.
  public enum ContentForm: Equatable, Sendable {
    case text
    /// `"content": null`.
    case null
    case absent
  }

  /// Who speaks: "system", "user", "assistant" or "tool" (what a called tool said).
  public var role: String
  /// Empty where `contentForm` is not `.text`.
  public var content: String
  public var contentForm: ContentForm
  /// What stands beside role and content, in its order, for templates that ask for it: `reasoning_content`, `tool_calls`,
  /// `tool_call_id`, `name` and others.
  public var members: JSONMembers
  /// Whether training learns the message; asked of the assistant's only.
  public var isLearnt: Bool

  public init(
    role: String, content: String, contentForm: ContentForm = .text, members: JSONMembers = [:],
    isLearnt: Bool = true
  ) {
    self.role = role
    self.content = content
    self.contentForm = contentForm
    self.members = members
    self.isLearnt = isLearnt
  }
}

extension Message {
  /// The calls in `members["tool_calls"]`; one without a name is left out.
  public var toolCalls: [ToolCall] {
    (members["tool_calls"]?.array ?? []).compactMap(ToolCall.init(openAI:))
  }

  /// The names under which publishers put an answer's reasoning beside its content; the first that is there counts.
  static let reasoningNames = ["reasoning_content", "thinking", "reasoning"]

  /// The reasoning beside the content.
  public var reasoning: String? {
    Message.reasoningNames.lazy.compactMap { members[$0]?.string }.first
  }

  /// The bytes of `content` that are reasoning: between `<think>` and `</think>`, or before the latter where a prompt has
  /// opened the thought.
  var reasoningInContent: Range<Int>? {
    guard let end = content.range(ofText: "</think>") else { return nil }
    let open = content.range(ofText: "<think>")
    let start = open.map { $0.upperBound <= end.lowerBound ? $0.upperBound : 0 } ?? 0
    return start < end.lowerBound ? start..<end.lowerBound : nil
  }
}

extension String {
  /// The bytes where `needle` stands first.
  fileprivate func range(ofText needle: String) -> Range<Int>? {
    guard let found = firstRange(of: needle) else { return nil }
    let start = utf8.distance(from: utf8.startIndex, to: found.lowerBound)
    return start..<start + needle.utf8.count
  }
}
