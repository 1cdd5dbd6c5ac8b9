import FireflyBase

/// How a family of models writes tool calls into its answers.
package enum ToolSyntax: String, CaseIterable, Sendable {
  /// `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen2.5, Qwen3.
  case hermes
  /// `<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>`: Qwen3-Coder.
  case qwenXML
  /// `<tool_call>NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>`: GLM-4.5.
  case glmXML
  /// `NAME`, a line break, `{…}`, and nothing before: GLM-4.
  case glm
  /// `{"name": …, "parameters": {…}}` and nothing before, or `<|python_tag|>` with that, with `NAME.call(KEY="VALUE")` or with
  /// Python: Llama 3.1 and later.
  case llama
  /// `[TOOL_CALLS][{"name": …, "arguments": {…}}]`, or `[TOOL_CALLS]NAME[ARGS]{…}`: Mistral.
  case mistral
  /// `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME`, the arguments in a block of JSON, `<｜tool▁call▁end｜>`: DeepSeek V3, R1;
  /// V3.1 has name and arguments alone.
  case deepSeek
  /// A message `to=functions.NAME` in the channel `commentary`: gpt-oss. `ChannelReader` reads it.
  case harmony

  /// The syntax of the calls that a template writes; nil when it writes none that is known.
  package init?(_ template: OwnTemplate) {
    let text = template.tools ?? template.chat
    let signs: [(ToolSyntax, [String])] = [
      (.harmony, ["<|channel|>"]),
      (.deepSeek, [ToolMark.deepSeekBegin]), (.mistral, [ToolMark.mistral]), (.glmXML, ["<arg_key>"]),
      (.qwenXML, ["<function="]), (.hermes, [ToolMark.open]), (.llama, [ToolMark.python, "ipython"]),
    ]
    if let known = signs.first(where: { $0.1.contains(where: text.contains) }) {
      self = known.0
    } else if template.names("metadata") || text.contains("<|observation|>") {
      self = .glm
    } else {
      return nil
    }
  }

  /// The marks of the syntax that a tokenizer may have as special tokens: the parser must see them, so decoding must not leave
  /// them out.
  package var marks: [String] {
    switch self {
    case .hermes, .qwenXML: [ToolMark.open, ToolMark.close]
    case .glmXML:
      [ToolMark.open, ToolMark.close, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"]
    case .harmony: ChannelReader.marks
    case .glm: [ToolMark.handover]
    case .llama: [ToolMark.python]
    case .mistral: [ToolMark.mistral, ToolMark.arguments]
    case .deepSeek:
      [
        ToolMark.deepSeekBegin, ToolMark.deepSeekEnd, ToolMark.deepSeekOpen, ToolMark.deepSeekClose,
        ToolMark.deepSeekSeparator,
      ]
    }
  }
}

/// The marks around calls.
enum ToolMark {
  static let open = "<tool_call>"
  static let close = "</tool_call>"
  static let python = "<|python_tag|>"
  /// Stands between GLM-4's calls.
  static let handover = "<|assistant|>"
  static let mistral = "[TOOL_CALLS]"
  static let arguments = "[ARGS]"
  static let deepSeekBegin = "<｜tool▁calls▁begin｜>"
  static let deepSeekEnd = "<｜tool▁calls▁end｜>"
  static let deepSeekOpen = "<｜tool▁call▁begin｜>"
  static let deepSeekClose = "<｜tool▁call▁end｜>"
  static let deepSeekSeparator = "<｜tool▁sep｜>"
}
