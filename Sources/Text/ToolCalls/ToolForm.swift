/// What a syntax is made of: where calls begin and end, and how name and arguments are spelled between.
struct ToolForm: Sendable {
  /// Where a call may begin and end.
  enum Frame: Sendable {
    /// Between two marks, anywhere; `noise` are marks around all calls.
    case marked(open: String, close: String, noise: [String] = [])
    /// At the very beginning of the answer.
    case leading
    /// Behind a mark, up to the end of the JSON that follows.
    case prefixed(String)
    /// Behind a line that names the function, as text stands behind another; a mark ends each.
    case addressed(mark: String)
  }

  /// What stands between two marks.
  enum Body: Sendable {
    /// `{"name": …, "arguments": …}` or a list of such.
    case objects
    /// The same without the list's brackets, which are marks.
    case bareObjects
    /// `{NAME: {…}}` or a list of such.
    case namedObjects
    case tagged(ToolTags)
    /// `NAME>{…}`.
    case afterName
    /// NAME, then keys and values in tags whose names end with `suffix`.
    case pairs(suffix: String = "")
    /// NAME, a mark, `{…}`; as the older DeepSeek has it, NAME is behind the mark.
    case separated(by: String)
    /// `[NAME(KEY=VALUE, …), …]`.
    case python
    /// ID, NAME and `{…}`, with marks between.
    case identified(name: String, arguments: String)
    /// `call:NAME{KEY:VALUE, …}`.
    case gemma
    /// NAME, a line break, `{…}`.
    case belowName
  }

  let frame: Frame
  let body: Body
  /// Further marks that may be special tokens.
  var innerMarks: [String] = []
  /// How a call is begun for a model that must call, what stands around its arguments, and between two calls where there may be
  /// more.
  typealias Forced = (opening: String, between: String, after: String, next: String?)
  var forced: Forced?

  var marks: [String] {
    switch frame {
    case .marked(let open, let close, let noise): [open, close] + noise + innerMarks
    case .prefixed(let mark): [mark] + innerMarks
    case .leading, .addressed: innerMarks
    }
  }
}

/// How tags name functions and parameters: what stands before a name, and what ends a value.
struct ToolTags: Sendable {
  var function = "<function="
  var parameter = "<parameter="
  var end = "</parameter>"
}

extension ToolForm {
  static func of(_ syntax: ToolSyntax) -> ToolForm {
    switch syntax {
    case .hermes:
      ToolForm(
        frame: .marked(open: "<tool_call>", close: "</tool_call>"), body: .objects,
        forced: (
          "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}",
          "}\n</tool_call>\n<tool_call>\n{\"name\": \""
        ))
    case .nemotron: list("<TOOLCALL>", "</TOOLCALL>")
    case .apriel: list("<tool_calls>", "</tool_calls>")
    case .granite: list("<|tool_call|>", "<|/tool_call|>")
    case .firefunction:
      ToolForm(
        frame: .marked(open: "functools[", close: "]"), body: .bareObjects,
        forced: ("functools[{\"name\": \"", "\", \"arguments\": ", "}]", "}, {\"name\": \""))
    case .gigaChat:
      ToolForm(
        frame: .marked(open: "<|function_call|>", close: "<|message_sep|>"), body: .objects,
        forced: ("<|function_call|>{\"name\": \"", "\", \"arguments\": ", "}", nil))
    case .gigaChatMessage:
      ToolForm(
        frame: .marked(open: "<|message_sep|>\n\nfunction call<|role_sep|>", close: "<|message_sep|>"),
        body: .objects, innerMarks: ["<|role_sep|>", "<|message_sep|>"])
    case .solar:
      ToolForm(
        frame: .marked(
          open: "<|tool_call:begin|>", close: "<|tool_call:end|>", noise: ["<|tool_calls|>", "<|calls|>"]),
        body: .identified(name: "<|tool_call:name|>", arguments: "<|tool_call:args|>"),
        innerMarks: ["<|tool_call:name|>", "<|tool_call:args|>"])
    case .gemma:
      ToolForm(
        frame: .marked(open: "<|tool_call>", close: "<tool_call|>"), body: .gemma,
        innerMarks: [GemmaCalls.quote])
    case .recipients:
      ToolForm(frame: .addressed(mark: ">>>"), body: .belowName, forced: ("", "\n", "", nil))
    case .cohere:
      ToolForm(
        frame: .marked(open: "<|START_ACTION|>", close: "<|END_ACTION|>"), body: .objects,
        forced: (
          "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"", "\", \"parameters\": ",
          "}\n]", nil
        ))
    case .commandR: ToolForm(frame: .marked(open: "Action:", close: "```"), body: .objects)
    case .apertus:
      ToolForm(
        frame: .marked(open: "<|tools_prefix|>", close: "<|tools_suffix|>"), body: .namedObjects,
        forced: ("<|tools_prefix|>[{\"", "\": ", "}]", "}, {\""))
    case .llama:
      ToolForm(
        frame: .leading, body: .objects, innerMarks: [ToolMark.python],
        forced: ("{\"name\": \"", "\", \"parameters\": ", "}", "}; {\"name\": \""))
    case .mistral:
      ToolForm(
        frame: .prefixed(ToolMark.mistral), body: .objects, innerMarks: [ToolMark.arguments, "[CALL_ID]"],
        forced: ("[TOOL_CALLS] [{\"name\": \"", "\", \"arguments\": ", "}]", "}, {\"name\": \""))
    case .qwenXML, .seed, .miniMax, .deepSeekML, .miniCPM: tagged(syntax)
    case .glmXML: pairs("")
    case .hunyuan: pairs(":opensource")
    case .functionary:
      ToolForm(
        frame: .marked(open: "<function=", close: "</function>"), body: .afterName,
        forced: ("<function=", ">", "", "</function><function="))
    case .glm:
      ToolForm(
        frame: .leading, body: .afterName, innerMarks: [ToolMark.handover], forced: ("", "\n", "", nil))
    case .kimi, .deepSeek: separated(syntax)
    case .lfm:
      ToolForm(frame: .marked(open: "<|tool_call_start|>", close: "<|tool_call_end|>"), body: .python)
    }
  }

  /// Those whose tags name function and parameters.
  private static func tagged(_ syntax: ToolSyntax) -> ToolForm {
    switch syntax {
    case .qwenXML:
      ToolForm(frame: .marked(open: "<tool_call>", close: "</tool_call>"), body: .tagged(ToolTags()))
    case .seed:
      ToolForm(
        frame: .marked(open: "<seed:tool_call>", close: "</seed:tool_call>"), body: .tagged(ToolTags()))
    case .miniMax:
      ToolForm(
        frame: .marked(
          open: "<invoke name=\"", close: "</invoke>",
          noise: ["<minimax:tool_call>", "</minimax:tool_call>"]),
        body: .tagged(ToolTags(function: "<invoke name=\"", parameter: "<parameter name=\"")))
    case .deepSeekML:
      ToolForm(
        frame: .marked(
          open: "<｜DSML｜invoke name=\"", close: "</｜DSML｜invoke>",
          noise: ["function_calls", "tool_calls"].flatMap { ["<｜DSML｜\($0)>", "</｜DSML｜\($0)>"] }),
        body: .tagged(
          ToolTags(
            function: "<｜DSML｜invoke name=\"", parameter: "<｜DSML｜parameter name=\"",
            end: "</｜DSML｜parameter>")),
        innerMarks: ["｜DSML｜"])
    case .miniCPM:
      ToolForm(
        frame: .marked(open: "<function name=\"", close: "</function>"),
        body: .tagged(
          ToolTags(function: "<function name=\"", parameter: "<param name=\"", end: "</param>")))
    default: preconditionFailure("\(syntax) has no tags")
    }
  }

  /// Those in which a mark stands between name and arguments.
  private static func separated(_ syntax: ToolSyntax) -> ToolForm {
    guard syntax == .deepSeek else {
      return ToolForm(
        frame: .marked(
          open: "<|tool_call_begin|>", close: "<|tool_call_end|>",
          noise: ["<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"]),
        body: .separated(by: "<|tool_call_argument_begin|>"), innerMarks: ["<|tool_call_argument_begin|>"])
    }
    return ToolForm(
      frame: .marked(
        open: "<｜tool▁call▁begin｜>", close: "<｜tool▁call▁end｜>",
        noise: [ToolMark.deepSeekBegin, "<｜tool▁calls▁end｜>"]),
      body: .separated(by: ToolMark.deepSeekSeparator), innerMarks: [ToolMark.deepSeekSeparator],
      forced: (
        ToolMark.deepSeekBegin + "<｜tool▁call▁begin｜>function" + ToolMark.deepSeekSeparator,
        "\n```json\n", "\n```", nil
      ))
  }

  /// A list of calls between two marks.
  private static func list(_ open: String, _ close: String) -> ToolForm {
    ToolForm(
      frame: .marked(open: open, close: close), body: .objects,
      forced: (open + "[{\"name\": \"", "\", \"arguments\": ", "}]", "}, {\"name\": \""))
  }

  private static func pairs(_ suffix: String) -> ToolForm {
    let isPlain = suffix.isEmpty
    return ToolForm(
      frame: .marked(
        open: "<tool_call\(suffix)>", close: "</tool_call\(suffix)>",
        noise: isPlain ? [] : ["<tool_calls\(suffix)>", "</tool_calls\(suffix)>"]),
      body: .pairs(suffix: suffix),
      innerMarks: ["<arg_key", "</arg_key", "<arg_value", "</arg_value"].map { "\($0)\(suffix)>" }
        + (isPlain ? [] : ["<tool_sep\(suffix)>"]))
  }
}

extension ToolSyntax {
  /// The syntax whose opening mark a vocabulary has as a token; nil when it has none.
  init?(markedIn tokenizer: any Tokenizer) {
    let known = ToolSyntax.allCases.first { syntax in
      guard case .marked(let open, _, _) = ToolForm.of(syntax).frame, open.hasPrefix("<") else {
        return false
      }
      return tokenizer.id(of: open) != nil
    }
    guard let known else { return nil }
    self = known
  }

  /// The marks of the syntax that a tokenizer may have as special tokens: the parser must see them, so decoding must not leave
  /// them out.
  package var marks: [String] { ToolForm.of(self).marks }

  /// How a call is begun for a model that must call, and what stands around name and arguments; nil where arguments are not
  /// JSON, or marks that only a special token writes stand between.
  package var forcedCall: (opening: String, between: String, after: String, next: String?)? {
    ToolForm.of(self).forced
  }

  /// What calls begin with, of which one is enough; none where they have no mark.
  package var openings: [String] {
    switch ToolForm.of(self).frame {
    case .marked(let open, _, let noise): [open] + noise.filter { !$0.contains("/") && !$0.contains("end") }
    case .prefixed(let mark): [mark]
    case .leading, .addressed: []
    }
  }

  /// What closes a call; nil where nothing does.
  package var closing: String? {
    if case .marked(_, let close, _) = ToolForm.of(self).frame { close } else { nil }
  }
}
