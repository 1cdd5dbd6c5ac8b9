import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// The program at a terminal: what keys do, what is shown, and where.
@Suite struct TerminalTests {
  /// Talks with the tiny model; the history and what is saved are in a folder of its own.
  func talk(
    _ more: [String] = ["--max-new-tokens", "6"], columns: UInt16 = 80, environment: [String: String] = [:],
    _ body: (PseudoTerminal, String) throws -> Void
  ) throws {
    try inTemporaryFolder { folder in
      let words = ["chat", Fixture.model, "--greedy", "--precision", "float32"] + more
      let terminal = try PseudoTerminal(
        words, columns: columns, environment: ["XDG_STATE_HOME": folder].merging(environment) { $1 })
      try terminal.expect("User: ")
      try body(terminal, folder)
    }
  }

  /// The tiny model, whose answers here end at nothing but the most tokens.
  func modelOfManyPositions(at folder: String) throws {
    try FileManager.default.copyItem(atPath: Fixture.model, toPath: folder)
    var config = try #require(try JSONValue.read(folder + "/config.json").object)
    config["max_position_embeddings"] = .int(1_000_000)
    try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: folder + "/config.json")
  }

  /// Talks with it, in answers of so many tokens.
  func talkAtLength(tokens: Int, _ body: (PseudoTerminal, String) throws -> Void) throws {
    try inTemporaryFolder { folder in
      try modelOfManyPositions(at: folder + "/model")
      let terminal = try PseudoTerminal(
        ["chat", folder + "/model", "--greedy", "--max-new-tokens", "\(tokens)"],
        environment: ["XDG_STATE_HOME": folder])
      try terminal.expect("User: ")
      try body(terminal, folder)
    }
  }

  /// The messages of the conversation, as /save writes them.
  func saved(_ terminal: PseudoTerminal, _ folder: String) throws -> [String] {
    let file = folder + "/rows.jsonl"
    try terminal.type("/save \(file)\r")
    try terminal.expect("appended to")
    let row = try JSONValue.parse(String(contentsOfFile: file, encoding: .utf8), source: file)
    return row["conversation"]?.array?.compactMap { $0["human"]?.string } ?? []
  }

  func leave(_ terminal: PseudoTerminal) throws {
    try terminal.type("/exit\r")
    #expect(try terminal.end().status == 0)
  }

  @Test func ctrlCClearsTheLineAndTheConversationStays() throws {
    try talk { terminal, folder in
      try terminal.type("hello\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      try terminal.type("never sent")
      try terminal.expect("sent")
      try terminal.type("\u{3}")
      try terminal.expect("^C")
      #expect(!(try terminal.expect("User: ").contains("/exit")))
      try terminal.type("\u{3}")
      try terminal.expect("/exit or Ctrl-D ends")
      try terminal.expect("User: ")
      try terminal.type("again\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      #expect(try saved(terminal, folder) == ["hello", "again"])
      try leave(terminal)
    }
  }

  @Test func ctrlCStopsAnAnswerAndNotTheProgram() throws {
    try talkAtLength(tokens: 100_000_000) { terminal, _ in
      try terminal.type("hello\r")
      try terminal.expect("Firefly: ")
      try terminal.type("\u{3}")
      try terminal.expect("[stopped]")
      try terminal.expect("User: ")
      try leave(terminal)
    }
  }

  @Test func keysDuringAnAnswerShowAtTheNextPrompt() throws {
    try talkAtLength(tokens: 400) { terminal, folder in
      try terminal.type("hello\r")
      try terminal.expect("Firefly: ")
      try terminal.type("meanwhile")
      #expect(!(try terminal.expect("tokens/s)").contains("meanwhile")))
      try terminal.expect("User: ")
      try terminal.expect("meanwhile")
      try terminal.type("\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      #expect(try saved(terminal, folder) == ["hello", "meanwhile"])
      try leave(terminal)
    }
  }

  @Test(arguments: ["\u{1B}[200~hel\rlo\u{1B}[201~", "\u{1B}[200~hel\nlo\n\u{1B}[201~", "hel\u{1B}\rlo"])
  func pastedLinesAreOneMessage(keys: String) throws {
    try talk { terminal, folder in
      #expect(String(decoding: terminal.output, as: UTF8.self).contains("\u{1B}[?2004h"))
      try terminal.type(keys)
      try terminal.expect("lo")
      try terminal.type("\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      #expect(try saved(terminal, folder) == ["hel\nlo"])
      try leave(terminal)
    }
  }

  @Test func aPastedTextThatBeginsWithASlashIsNoOrder() throws {
    try talk { terminal, folder in
      try terminal.type("\u{1B}[200~/exit\nnow\u{1B}[201~\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      #expect(try saved(terminal, folder) == ["/exit\nnow"])
      try leave(terminal)
    }
  }

  @Test(
    arguments: [(40, 100), (100, 40), (40, 30)],
    ["many words that do not fit into forty columns, end", "许多许多许多许多许多许多许多许多许多许多许多许多 end"])
  func aResizedWindowShowsTheLineOnce(columns: (UInt16, UInt16), text: String) throws {
    try talk(columns: columns.0) { terminal, _ in
      try terminal.type(text)
      try terminal.expect("end")
      var screen = Screen(columns: Int(columns.0))
      screen.write(terminal.output)
      let written = terminal.output.count
      try terminal.resize(columns: columns.1)
      screen.resize(columns: Int(columns.1))
      try terminal.expect("end")
      try terminal.type("!")
      try terminal.expect("!")
      screen.write(terminal.output[written...])
      let shown = screen.rows.joined()
      #expect(shown.components(separatedBy: "User: ").count == 2, "\(screen.rows)")
      #expect(
        shown.replacing(" ", with: "").hasSuffix(("User: " + text + "!").replacing(" ", with: "")),
        "\(screen.rows)")
      try terminal.type("\u{3}")
      try terminal.expect("User: ")
      try leave(terminal)
    }
  }

  @Test func anAnswerThatIsCutOffSaysSo() throws {
    try talk { terminal, _ in
      try terminal.type("hello\r")
      try terminal.expect("(cut off after 6 tokens; /params max_new_tokens N allows longer answers)")
      try terminal.expect("User: ")
      try leave(terminal)
    }
  }

  @Test func ordersAndParametersAreAlignedLists() throws {
    try talk { terminal, _ in
      for (order, column) in [("/help", "ends, as"), ("/params", "where an answer")] {
        try terminal.type(order + "\r")
        let text = try terminal.expect("User: ")
        let rows = text.split(separator: "\r\n").filter { $0.hasPrefix("  ") }
        let start = try #require(
          rows.compactMap { row in
            row.range(of: column).map { row.distance(from: row.startIndex, to: $0.lowerBound) }
          }.first)
        #expect(rows.count > 8)
        for row in rows {
          #expect(row.dropFirst(start - 1).first == " " && row.dropFirst(start).first != " ", "\(row)")
        }
      }
      try leave(terminal)
    }
  }

  @Test func aTerminalThatOnlyPrintsGetsNoEscapes() throws {
    try talk(environment: ["TERM": "dumb"]) { terminal, _ in
      try terminal.type("hello\r")
      try terminal.expect("tokens/s)")
      try terminal.expect("User: ")
      try leave(terminal)
      #expect(
        !terminal.output.contains(0x1B),
        "\(String(decoding: terminal.output, as: UTF8.self).debugDescription)")
    }
  }

  /// A run that fails while its rows are read, which a line of progress tells.
  @Test func anErrorStandsOnALineOfItsOwn() throws {
    try inTemporaryFolder { folder in
      let row = #"{"conversation": [{"human": "one", "assistant": "two"}]}"# + "\n"
      let rows = String(repeating: row, count: 3000) + "no row\n"
      try AtomicFile.write(Data(rows.utf8), to: folder + "/rows.jsonl")
      let config: [String: JSONValue] = [
        "model_name_or_path": .string(Fixture.model), "train_file": .string(folder + "/rows.jsonl"),
        "output_dir": .string(folder + "/out"), "template_name": .string("qwen"), "max_seq_length": .int(128),
        "data_cache": .string("off"), "bf16": .bool(true),
      ]
      try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: folder + "/config.json")
      for verb in ["train", "plan", "data"] {
        let terminal = try PseudoTerminal([verb, folder + "/config.json"], columns: 200)
        let end = try terminal.end()
        #expect(end.status == 1)
        var screen = Screen(columns: 200)
        screen.write(terminal.output)
        let rows = screen.rows.filter { !$0.isEmpty }
        #expect(
          rows.count == 1 && rows.first?.hasPrefix("firefly: \(folder)/rows.jsonl:3001: ") == true, "\(rows)")
      }
    }
  }

  @Test func helpFitsTheTerminal() throws {
    for columns in [50, 80] {
      for words in [["help"], ["help", "train"], ["chat", "--help"]] {
        let terminal = try PseudoTerminal(words, columns: UInt16(columns))
        let (status, text) = try terminal.end()
        #expect(status == 0)
        let lines = text.split(separator: "\r\n")
        #expect(lines.count > 10)
        for line in lines { #expect(Columns.count(String(line)) <= columns, "\(line)") }
      }
    }
  }
}
