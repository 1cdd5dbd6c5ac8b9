import FireflyBase
import FireflyText

/// A training row as `data` shows it.
struct ShownRow {
  let name: String
  let sample: Sample
  /// File and line, of a row from one of several files.
  let place: String?
  let tokenizer: any Tokenizer

  private struct Token {
    let position: Int
    let id: Int32
    /// What the token adds to the text; empty while a character is incomplete.
    let text: String
    let isTarget: Bool
  }

  private var tokens: [Token] {
    var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
    return sample.tokens.enumerated().map { position, id in
      Token(
        position: position, id: id, text: decoder.append(id),
        isTarget: sample.targets.contains { $0.contains(position) })
    }
  }

  var heading: String {
    "line \(sample.line)\(place.map { " (\($0))" } ?? "")\(name == "row" ? "" : ", \(name)"): "
      + "\(sample.tokens.count) tokens, \(sample.targetCount) targets"
  }

  /// The running text, with the targets green or in brackets.
  func text(inColour isColoured: Bool) -> String {
    let (begin, end) = isColoured ? ("\u{1B}[32m", "\u{1B}[0m") : ("⟦", "⟧")
    return SampleText(sample, tokenizer).pieces.map { piece in
      let text = Terminal.printable(piece.text)
      return piece.isTarget ? begin + text + end : text
    }.joined()
  }

  /// A line for each token: position, mark of a target, id, text.
  var list: String {
    let rows = tokens.map { token in
      [
        "\(token.position)", token.isTarget ? "*" : " ", "\(token.id)",
        token.text.isEmpty ? "…" : JSONValue.string(token.text).text(),
      ]
    }
    return Columns.table([["", "", "id", "* is a target"]] + rows, right: [0, 2]).joined(separator: "\n")
  }

  var json: JSONValue {
    let list = tokens.map { token in
      JSONValue.object([
        "id": .int(Int(token.id)), "text": .string(token.text), "target": .bool(token.isTarget),
      ])
    }
    return .object([
      "line": .int(sample.line), "tokens": .array(list), "target_count": .int(sample.targetCount),
    ])
  }
}
