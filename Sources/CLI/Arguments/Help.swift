import FireflyBase
import Foundation

/// The help texts, made from the declarations alone.
package struct Help {
  /// Columns of a line where there is no terminal.
  package static let usualWidth = 88
  /// Longer lines are hard to read, however wide the terminal is.
  private static let widest = 100

  private let width: Int
  /// Where the explanations begin.
  private var indent: Int { width >= 64 ? 28 : 8 }

  /// - Parameter columns: of the terminal that shows the text.
  package init(columns: Int = usualWidth) { width = min(max(columns, 20), Help.widest) }

  /// As wide as the terminal that results go to.
  static var ofOutput: Help { Help(columns: Terminal.columns(STDOUT_FILENO) ?? usualWidth) }

  /// The text of `firefly --help`.
  package func program(_ verbs: [Verb]) -> String {
    let list = list(verbs.map { ($0.name, $0.summary) })
    let more =
      "firefly help VERB tells a verb's arguments, firefly --version the version; firefly manual | man -l - is all of it."
    return Language.current.lines("Usage: firefly VERB [arguments]\n\n")
      + wrapped("Fine-tunes pretrained language models on conversations, and uses them.")
      + Language.current.lines("\nVerbs:\n") + list + "\n" + wrapped(more)
  }

  /// The text of `firefly VERB --help`.
  package func verb(_ verb: Verb) -> String {
    let names = verb.positionals.map { " " + $0.usage }.joined()
    var text = Language.current("Usage: firefly") + " \(verb.name)\(names) [options]\n\n"
    text += wrapped(verb.summary)
    for paragraph in verb.paragraphs {
      switch paragraph {
      case .text(let paragraph): text += "\n" + wrapped(paragraph)
      case .list(let entries): text += "\n" + list(entries)
      }
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

  /// A list whose explanations begin behind its longest name.
  private func list(_ entries: [(name: String, text: String)]) -> String {
    let longest = entries.map { Columns.count($0.name) }.max() ?? 0
    return entries.map { entry($0.name, $0.text, indent: min(indent, longest + 4)) }.joined()
  }

  /// A name and what it is, wrapped beside it.
  func entry(_ name: String, _ help: String) -> String { entry(name, help, indent: indent) }

  private func entry(_ name: String, _ help: String, indent: Int) -> String {
    let head = "  " + name
    let gap =
      Columns.count(head) + 2 <= indent ? Columns.left(head, indent) : head + "\n" + Columns.left("", indent)
    return gap + Columns.wrapped(Language.current(help), width: width, from: indent, indent: indent) + "\n"
  }

  private func wrapped(_ text: String) -> String {
    Columns.wrapped(Language.current(text), width: width) + "\n"
  }
}
