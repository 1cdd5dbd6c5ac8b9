import FireflyBase

extension PieceFormat {
  /// The template in Jinja, for programs that know no other form: it writes the same text. (Tokenised as a whole and not piece
  /// by piece, which a vocabulary of SentencePiece's may notice; and ChatGLM3's tools have no place.)
  var jinja: String {
    var lines = [
      "{%- if messages and messages[0]['role'] == 'system' %}",
      "{%- set system = messages[0]['content'] | trim %}", "{%- set turns = messages[1:] %}", "{%- else %}",
      "{%- set system = \(defaultSystem.map(Self.quoted) ?? "none") %}", "{%- set turns = messages %}",
      "{%- endif %}",
    ]
    if let start = start { lines.append("{{- \(start) }}") }
    if let systemFormat, layout != .piecewise {
      let label = layout == .chatGLM3 ? "<|system|>" : ""
      lines += [
        "{%- if system is not none %}", "{{- \(expression(label + systemFormat, content: "system")) }}",
      ]
      if let bareHead { lines += ["{%- else %}", "{{- \(Self.quoted(bareHead)) }}"] }
      lines.append("{%- endif %}")
    }
    lines += [
      "{%- for message in turns %}", "{%- if message['role'] == 'user' %}", "{{- \(user) }}",
      "{%- elif message['role'] == 'assistant' %}", "{{- \(assistant) }}", "{%- else %}",
      "{{- raise_exception('Only the roles user and assistant have a place.') }}", "{%- endif %}",
      "{%- endfor %}",
    ]
    if layout == .chatGLM3 {
      lines += ["{%- if add_generation_prompt %}", "{{- '<|assistant|>' }}", "{%- endif %}"]
    }
    return lines.joined(separator: "\n")
  }

  /// What stands before everything.
  private var start: String? {
    switch layout {
    case .formatted: nil
    case .piecewise: "bos_token"
    case .chatGLM2, .chatGLM3: "'[gMASK]sop'"
    }
  }

  private var content: String {
    layout == .piecewise ? "message['content']" : "(message['content'] | trim)"
  }

  private var user: String {
    switch layout {
    case .formatted, .chatGLM2: expression(userFormat, content: content)
    case .piecewise: expression(userFormat, content: content) + " + eos_token"
    case .chatGLM3: expression("<|user|>" + userFormat, content: content)
    }
  }

  private var assistant: String {
    switch layout {
    case .formatted: expression(assistantFormat, content: content)
    case .piecewise, .chatGLM2: expression(assistantFormat, content: content) + " + eos_token"
    case .chatGLM3: expression("<|assistant|>" + assistantFormat, content: content) + " + eos_token"
    }
  }

  /// A format's text with its places filled, as a Jinja expression.
  private func expression(_ format: String, content: String) -> String {
    let places = [
      "{content}": content, "{stop_token}": "eos_token", "{idx}": "(loop.index0 // 2 + 1) | string",
    ]
    var parts: [String] = []
    var rest = format[...]
    while !rest.isEmpty {
      let next = places.keys.compactMap { rest.firstRange(of: $0) }.min { $0.lowerBound < $1.lowerBound }
      let literal = rest[..<(next?.lowerBound ?? rest.endIndex)]
      if !literal.isEmpty { parts.append(Self.quoted(String(literal))) }
      guard let next else { break }
      parts.append(places[String(rest[next])] ?? "")
      rest = rest[next.upperBound...]
    }
    return parts.isEmpty ? "''" : parts.joined(separator: " + ")
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n")
    return "'\(escaped)'"
  }
}
