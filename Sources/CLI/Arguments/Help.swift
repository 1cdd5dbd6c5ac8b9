import FireflyBase

/// The help texts, made from the declarations alone.
package enum Help {
  private static let width = 88
  private static let indent = 28

  /// The text of `firefly --help`.
  package static func program(_ verbs: [Verb]) -> String {
    let list = verbs.map { entry($0.name, $0.summary) }.joined()
    let heading = Language.current.lines(
      """
      Usage: firefly VERB [arguments]

      Fine-tunes pretrained language models on conversations, and uses them.

      Verbs:

      """)
    let more = "firefly VERB --help tells a verb's arguments; firefly --version the version."
    return heading + list + "\n" + Language.current(more) + "\n"
  }

  /// The text of `firefly VERB --help`.
  package static func verb(_ verb: Verb) -> String {
    let names = verb.positionals.map { " " + $0.usage }.joined()
    var text = Language.current("Usage: firefly") + " \(verb.name)\(names) [options]\n\n"
    text += wrapped(verb.summary, firstColumn: 0, indent: 0)
    for paragraph in verb.details.split(separator: "\n") {
      text += "\n" + wrapped(String(paragraph), firstColumn: 0, indent: 0)
    }
    if !verb.positionals.isEmpty {
      text +=
        Language.current.lines("\nArguments:\n") + verb.positionals.map { entry($0.name, $0.help) }.joined()
    }
    let options = verb.options.map { option in
      entry(
        option.name + (option.placeholder.map { " " + $0 } ?? ""),
        option.help + (option.repeated ? " May be repeated." : ""))
    }
    text += Language.current.lines("\nOptions:\n") + options.joined() + entry("--help", "Shows this text.")
    return text
  }

  /// A name and what it is, the text wrapped beside it.
  static func entry(_ name: String, _ help: String) -> String {
    let head = "  " + name
    guard head.count + 2 <= indent else {
      return head + "\n" + String(repeating: " ", count: indent)
        + wrapped(help, firstColumn: indent, indent: indent)
    }
    return head + String(repeating: " ", count: indent - head.count)
      + wrapped(help, firstColumn: indent, indent: indent)
  }

  private static func wrapped(_ text: String, firstColumn: Int, indent: Int) -> String {
    var out = ""
    var column = firstColumn
    for (index, word) in Language.current(text).split(separator: " ").enumerated() {
      if index > 0 && column + 1 + word.count > width {
        out += "\n" + String(repeating: " ", count: indent)
        column = indent
      } else if index > 0 {
        out += " "
        column += 1
      }
      out += word
      column += word.count
    }
    return out + "\n"
  }
}
