import FireflyBase
import FireflyJinja

/// How the original tells ChatGLM3 of tools, and how the model calls them.
enum ChatGLM3Tools {
  /// The system text that describes the tools; nil when there are none.
  static func systemText(_ tools: [OrderedJSON]) -> String? {
    guard !tools.isEmpty else { return nil }
    return
      "Answer the following questions as best as you can. You have access to the following tools:\n"
      + JinjaValue(.array(tools)).jsonText(indent: 4)
  }

  /// A call in Python's syntax, which follows the function's name.
  static func text(of call: ToolCall) -> String {
    let arguments = (call.arguments.object?.entries ?? []).map {
      "\($0.key)=\(JinjaValue($0.value).represented)"
    }
    return "```python\ntool_call(\(arguments.joined(separator: ", ")))\n```"
  }
}
