/// How a family of models writes tool calls into its answers.
package enum ToolSyntax: String, CaseIterable, Sendable {
  /// `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen2.5, Qwen3, Granite 4.
  case hermes
  /// `<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>`: Qwen3-Coder, Qwen3.5, Nemotron 3.
  case qwenXML
  /// The same within `<seed:tool_call>`: Seed-OSS.
  case seed
  /// `<invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>` within `<minimax:tool_call>`: MiniMax M2.
  case miniMax
  /// The same with `｜DSML｜` in each tag: DeepSeek V3.2 and later.
  case deepSeekML
  /// `<function name="NAME"><param name="KEY">VALUE</param></function>`: MiniCPM5.
  case miniCPM
  /// `<function=NAME>{…}</function>`: Functionary 3.1.
  case functionary
  /// `<tool_call>NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>`: GLM-4.5 and later.
  case glmXML
  /// The same with `:opensource` in each tag: Hunyuan 3.
  case hunyuan
  /// `<TOOLCALL>[{"name": …, "arguments": {…}}]</TOOLCALL>`: Nemotron Nano 2.
  case nemotron
  /// `<tool_calls>[…]</tool_calls>`: Apriel.
  case apriel
  /// `<|tool_call|>[…]`, and `<|/tool_call|>` where it is closed: Granite 3, Phi-4-mini.
  case granite
  /// `functools[…]`: Firefunction.
  case firefunction
  /// `<|function_call|>{"name": …, "arguments": {…}}`: GigaChat 3.1.
  case gigaChat
  /// The same behind a message's header, `function call<|role_sep|>`: GigaChat 3.0.
  case gigaChatMessage
  /// `<|START_ACTION|>[{"tool_name": …, "parameters": {…}}]<|END_ACTION|>`: Command R7B, Command A.
  case cohere
  /// `Action:` and the same list in a block of JSON: Command R, R+.
  case commandR
  /// `<|tools_prefix|>[{NAME: {…}}]<|tools_suffix|>`: Apertus.
  case apertus
  /// `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`: Kimi K2.
  case kimi
  /// `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME`, the arguments in a block of JSON, `<｜tool▁call▁end｜>`: DeepSeek V3, R1;
  /// V3.1 has name and arguments alone.
  case deepSeek
  /// `<|tool_call:begin|>ID<|tool_call:name|>NAME<|tool_call:args|>{…}<|tool_call:end|>`: Solar Open.
  case solar
  /// `<|tool_call>call:NAME{KEY:<|"|>VALUE<|"|>}<tool_call|>`: Gemma 4.
  case gemma
  /// `<|tool_call_start|>[NAME(KEY="VALUE")]<|tool_call_end|>`: LFM2.
  case lfm
  /// `[TOOL_CALLS][{"name": …, "arguments": {…}}]`, or `[TOOL_CALLS]NAME[ARGS]{…}`: Mistral.
  case mistral
  /// `{"name": …, "parameters": {…}}` and nothing before, or `<|python_tag|>` with that, with `NAME.call(KEY="VALUE")` or with
  /// Python: Llama 3.1 and later.
  case llama
  /// `NAME`, a line break, `{…}`, and nothing before: GLM-4.
  case glm

  /// `NAME`, a line break, `{…}`, the next behind `>>>`; what is said to people is sent to `all`: Functionary 3.2.
  case recipients

  /// Whether text, too, stands behind a line that says to whom it is.
  package var addressesText: Bool { self == .recipients }

  /// Mistral's templates take names of calls of nine characters only.
  package var needsShortIDs: Bool { self == .mistral }
}

/// The marks that more than one place names.
enum ToolMark {
  static let python = "<|python_tag|>"
  /// Stands between GLM-4's calls.
  static let handover = "<|assistant|>"
  static let mistral = "[TOOL_CALLS]"
  static let arguments = "[ARGS]"
  static let deepSeekBegin = "<｜tool▁calls▁begin｜>"
  static let deepSeekSeparator = "<｜tool▁sep｜>"
}
