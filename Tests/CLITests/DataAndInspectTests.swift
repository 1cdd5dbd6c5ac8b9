import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@Suite struct DataAndInspectTests {
  /// A training configuration for the tiny model with rows in lines 1 and 3; line 2 has no room for its answer.
  func withConfig<T>(_ body: (String, String) throws -> T) throws -> T {
    try inTemporaryFolder { folder in
      let rows = [
        #"{"conversation": [{"human": "one", "assistant": "two"}]}"#,
        #"{"conversation": [{"human": "\#(String(repeating: "word ", count: 200))", "assistant": "two"}]}"#,
        #"{"conversation": [{"human": "三", "assistant": "四"}]}"#,
      ]
      try AtomicFile.write(Data(rows.joined(separator: "\n").utf8), to: folder + "/rows.jsonl")
      let config: [String: JSONValue] = [
        "model_name_or_path": .string(Fixture.model), "train_file": .string(folder + "/rows.jsonl"),
        "output_dir": .string(folder + "/out"), "template_name": .string("qwen"), "max_seq_length": .int(128),
        "bf16": .bool(true),
      ]
      let path = folder + "/config.json"
      try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: path)
      return try body(path, folder)
    }
  }

  @Test func statisticsAndTheFirstRow() throws {
    try withConfig { config, _ in
      let outcome = try Command.run("data", config, "--tokens")
      #expect(outcome.status == 0)
      #expect(outcome.output.hasPrefix("2 of 3 rows, "))
      #expect(outcome.output.contains("(line 2)"))
      #expect(outcome.output.contains("line 1: "))
      let marked = outcome.output.split(separator: "\n").filter { $0.contains(" * ") }
      #expect(marked.last?.hasSuffix(#""\n""#) == true)
      #expect(marked.contains { $0.hasSuffix(#""<|im_end|>""#) })
    }
  }

  @Test func theRowIsRunningTextWithItsTargetsInBrackets() throws {
    try withConfig { config, _ in
      let outcome = try Command.run("data", config, "--row", "3")
      #expect(outcome.status == 0)
      #expect(
        outcome.output.contains("\n<|im_start|>user\n三<|im_end|>\n<|im_start|>assistant\n⟦四<|im_end|>\n⟧\n"))
      #expect(!outcome.output.contains("\u{1B}"))
    }
  }

  @Test(arguments: [("", "\u{1B}[32m", "\u{1B}[0m"), ("1", "⟦", "⟧")])
  func aTerminalShowsTargetsInColourUnlessAskedNotTo(noColour: String, begin: String, end: String) throws {
    try withConfig { config, _ in
      let terminal = try PseudoTerminal(["data", config, "--row", "3"], environment: ["NO_COLOR": noColour])
      let (status, text) = try terminal.end()
      #expect(status == 0)
      #expect(
        text.replacing("\r\n", with: "\n").contains("assistant\n\(begin)四<|im_end|>\n\(end)\n"), "\(text)")
    }
  }

  @Test func controlCharactersOfRowsShowAsPictures() throws {
    try withConfig { config, folder in
      let row = #"{"conversation": [{"human": "one", "assistant": "\u001b[2J\u009btwo"}]}"#
      try AtomicFile.write(Data(row.utf8), to: folder + "/rows.jsonl")
      let outcome = try Command.run("data", config)
      #expect(outcome.status == 0)
      #expect(outcome.output.contains("⟦␛[2J\u{FFFD}two<|im_end|>\n⟧"), "\(outcome.output)")
    }
  }

  @Test func theRowAsJSONMarksTheAnswerAndWhatEndsIt() throws {
    try withConfig { config, _ in
      let outcome = try Command.run("data", config, "--json", "--row", "3")
      let row = try #require(try JSONValue.parse(outcome.output, source: "output")["row"])
      #expect(row["line"]?.int == 3)
      let tokens = try #require(row["tokens"]?.array)
      let targets = tokens.filter { $0["target"]?.bool == true }
      let answer = targets.compactMap { $0["text"]?.string }.joined()
      #expect(answer == "四<|im_end|>\n")
      #expect(row["target_count"]?.int == targets.count)
      let text = tokens.compactMap { $0["text"]?.string }.joined()
      #expect(text.hasPrefix("<|im_start|>system\nYou are a helpful"))
    }
  }

  @Test func severalFilesAndHeldOutRows() throws {
    try withConfig { config, folder in
      let rows = (0..<40).map { #"{"conversation": [{"human": "\#($0)", "assistant": "b"}]}"# + "\n" }
      try AtomicFile.write(Data(rows.joined().utf8), to: folder + "/more.jsonl")
      let files = #"["\#(folder)/rows.jsonl", {"file": "\#(folder)/more.jsonl", "max_samples": 20}]"#
      let whole = try Command.run(
        "data", config, "--json", "--set", "train_file=\(files)", "--set", "val_size=5", "--set",
        "eval_strategy=epoch")
      let json = try JSONValue.parse(whole.output, source: "output")
      #expect(json["statistics"]?["rows_available"]?.int == 43)
      let (trained, held) = (json["statistics"]?["rows"]?.int ?? 0, json["held_out"]?["rows"]?.int ?? 0)
      #expect(trained + held == 23 && held == 5)
      #expect(json["statistics"]?["files"]?.array?.count == 2)
    }
  }

  @Test func aDryRunThatDoesNotFitFails() throws {
    try withConfig { config, folder in
      let plan = ["train", config, "--dry-run", "--set", "train_mode=lora"]
      let small = try Command.run(plan + ["--set", "memory_limit=1MiB"])
      #expect(small.status == 1)
      #expect(small.output.contains("does not fit the 1.00 MiB of memory here; with"))
      #expect(!small.output.contains("everything is in order"))
      #expect(
        small.errors.contains("the run does not fit into memory (expected at most 1.00 MiB, found about"))
      #expect(small.errors.contains("\"memory_limit\": \"none\" starts it all the same."))
      let forced = try Command.run(plan + ["--set", "memory_limit=none"])
      #expect(forced.status == 0 && forced.output.contains("everything is in order"))
    }
  }

  @Test func wrongRowsKeysAndTemplatesAreNamed() throws {
    try withConfig { config, _ in
      let dropped = try Command.run("data", config, "--row", "2")
      #expect(dropped.status == 1)
      #expect(dropped.errors.contains("no row is kept from line 2"))
      let key = try Command.run("data", config, "--set", "max_seq_lenght=5")
      #expect(key.status == 1)
      #expect(key.errors.contains("max_seq_lenght") && key.errors.contains("max_seq_length"))
      let template = try Command.run("data", config, "--set", "template_name=qwem")
      #expect(template.status == 1)
      #expect(template.errors.contains("qwem"))
    }
  }

  @Test func aModelFolder() throws {
    let outcome = try Command.run("inspect", Fixture.model, "--json")
    #expect(outcome.status == 0)
    let json = try JSONValue.parse(outcome.output, source: "output")
    #expect(json["kind"]?.string == "model")
    #expect(json["facts"]?["hidden_size"]?.int == 32)
    // Embedding and head, two layers of q, k, v, o, gate, up, down and two norms, the last norm.
    let layer = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32 + 2 * 32
    let vocabulary = try #require(json["facts"]?["vocab_size"]?.int)
    #expect(json["parameters"]?.int == 2 * vocabulary * 32 + 2 * layer + 32)
    #expect(json["tensors"]?.array?.count == 2 + 2 * 9 + 1)
    let plain = try Command.run("inspect", Fixture.model, "--tensors")
    #expect(plain.output.hasPrefix("\(Fixture.model): model\n"))
    #expect(plain.output.contains("model.layers.1.mlp.up_proj.weight"))
  }

  @Test func anAdapter() throws {
    let outcome = try Command.run("inspect", Fixture.adapter)
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("\(Fixture.adapter): adapter\n"))
    // Two layers; rank 4 on q (32 + 32), v (32 + 16) and down (64 + 32).
    #expect(outcome.output.contains("\n1,664 parameters in 12 tensors"))
  }

  @Test func damagedAndUnknownThingsAreRefused() throws {
    try inTemporaryFolder { folder in
      let empty = try Command.run("inspect", folder)
      #expect(empty.status == 1)
      #expect(empty.errors.contains("nothing that Firefly knows"))
      for name in ["cut.safetensors", "cut.gguf", "text.txt"] {
        try AtomicFile.write(Data("GGUF\u{3}".utf8), to: "\(folder)/\(name)")
        let outcome = try Command.run("inspect", "\(folder)/\(name)")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("firefly: \(folder)/\(name): "))
      }
    }
  }
}
