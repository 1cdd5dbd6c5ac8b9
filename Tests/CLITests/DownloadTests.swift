import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// `firefly download`, and models by name in every verb that takes one.
@Suite struct DownloadTests {
  /// The tiny model and its adapter as repositories of a hub.
  private func hub(_ configure: (inout FakeHub.Behaviour) -> Void = { _ in }) throws -> FakeHub {
    try FakeHub(
      [
        "tiny/model": FakeHub.Model(try files(Fixture.model), large: ["model.safetensors"]),
        "tiny/adapter": FakeHub.Model(
          try files(Fixture.adapter), large: ["adapter_model.safetensors"]),
      ], configure)
  }

  private func files(_ folder: String) throws -> [String: [UInt8]] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return try names.reduce(into: [:]) {
      $0[$1] = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($1)")))
    }
  }

  private func environment(_ hub: FakeHub, _ folder: String) -> [String: String] {
    [
      "HF_HUB_CACHE": "\(folder)/cache", "HF_ENDPOINT": hub.endpoint, "MODELSCOPE_CACHE": "\(folder)/none",
      // Whoever runs the tests may have their own.
      "HF_TOKEN": "", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "",
    ]
  }

  @Test func whatIsDownloadedIsAModelByItsName() throws {
    try inTemporaryFolder { folder in
      let hub = try hub()
      let environment = environment(hub, folder)
      for name in ["tiny/model", "tiny/adapter"] {
        let outcome = try Command.run(["download", name], environment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let path = outcome.output.trimmingCharacters(in: .newlines)
        #expect(path.hasPrefix("\(folder)/cache/models--tiny--\(name.dropFirst(5))/snapshots/"))
        #expect(outcome.errors.contains("model.safetensors  "))
      }
      hub.forgetRequests()
      let prompt = [
        "--prompt", "What is 2 plus 3?", "--greedy", "--max-new-tokens", "8", "--template", "auto",
      ]
      let byName = try Command.run(
        ["generate", "tiny/model", "--adapter", "tiny/adapter"] + prompt, environment: environment)
      let byPath = try Command.run(["generate", Fixture.model, "--adapter", Fixture.adapter] + prompt)
      #expect(byName.status == 0, "\(byName.errors)")
      #expect(!byName.output.isEmpty && byName.output == byPath.output)
      #expect(hub.hub.requests.isEmpty)
    }
  }

  @Test func everyVerbThatTakesAModelTakesAName() throws {
    try inTemporaryFolder { folder in
      let hub = try hub()
      let environment = environment(hub, folder)
      for name in ["tiny/model", "tiny/adapter"] {
        #expect(try Command.run(["download", name], environment: environment).status == 0)
      }
      let text = "\(folder)/text.jsonl"
      try AtomicFile.write(Data((#"{"text": "one two three four five six"}"# + "\n").utf8), to: text)
      let commands = [
        ["chat", "tiny/model", "--adapter", "tiny/adapter"], ["inspect", "tiny/model"],
        ["inspect", "tiny/adapter"], ["tokenize", "tiny/model"],
        ["eval", "tiny/model", "--adapter", "tiny/adapter", "--task", "perplexity", "--file", text],
        ["quantize", "tiny/model", "\(folder)/nf4"],
        ["merge", "tiny/model", "tiny/adapter", "\(folder)/merged", "--no-probe"],
        ["export", "tiny/model", "\(folder)/model.gguf", "--adapter", "tiny/adapter"],
      ]
      for words in commands {
        let outcome = try Command.run(words, environment: environment)
        #expect(outcome.status == 0, "\(words): \(outcome.errors)")
      }
      // What is written has the model's name, not that of its place in the cache.
      let exported = try Command.run("inspect", "\(folder)/model.gguf", "--json")
      #expect(exported.output.contains(#""general.name": "model""#), "\(exported.output)")
    }
  }

  @Test func trainingByNameRecordsTheName() throws {
    try inTemporaryFolder { folder in
      let hub = try hub()
      let environment = environment(hub, folder)
      #expect(try Command.run(["download", "tiny/model"], environment: environment).status == 0)
      let row = #"{"conversation": [{"human": "What is 2 plus 3?", "assistant": "5"}]}"#
      try AtomicFile.write(Data((row + "\n").utf8), to: "\(folder)/rows.jsonl")
      let config: JSONValue = .object([
        "model_name_or_path": .string("tiny/model"), "train_file": .string("\(folder)/rows.jsonl"),
        "output_dir": .string("\(folder)/run"), "template_name": .string("auto"), "max_seq_length": .int(64),
        "max_steps": .int(1), "per_device_train_batch_size": .int(1), "precision": .string("float32"),
        "lora_rank": .int(2), "data_cache": .string("off"),
      ])
      try AtomicFile.write(Data(config.text().utf8), to: "\(folder)/config.json")
      for verb in ["data", "plan", "train"] {
        let outcome = try Command.run([verb, "\(folder)/config.json"], environment: environment)
        #expect(outcome.status == 0, "\(verb): \(outcome.errors)")
      }
      let adapter = try JSONValue.read("\(folder)/run/adapter_config.json")
      #expect(adapter["base_model_name_or_path"]?.string == "tiny/model")
      let arguments = try JSONValue.read("\(folder)/run/train_args.json")
      #expect(arguments["model_name_or_path"]?.string == "tiny/model")
      #expect(FileManager.default.fileExists(atPath: "\(folder)/run/tokenizer.json"))
    }
  }

  @Test(arguments: [
    ["chat", "Org/Name"], ["generate", "Org/Name", "--prompt", "x"], ["serve", "Org/Name"],
    ["tokenize", "Org/Name"], ["inspect", "Org/Name"], ["quantize", "Org/Name", "out"],
    ["merge", "Org/Name", "a", "out"], ["export", "Org/Name", "out.gguf"],
    ["eval", "Org/Name", "--task", "perplexity", "--file", "ROWS"],
  ])
  func aNameThatIsNowhereSaysWhatToDo(words: [String]) throws {
    try inTemporaryFolder { folder in
      let rows = "\(folder)/rows.jsonl"
      try AtomicFile.write(Data((#"{"text": "one two three"}"# + "\n").utf8), to: rows)
      let outcome = try Command.run(
        words.map { $0 == "ROWS" ? rows : $0 },
        environment: ["HF_HUB_CACHE": "\(folder)/cache", "MODELSCOPE_CACHE": "\(folder)/none"])
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.hasPrefix("firefly: Org/Name: the model is not on this machine (found nothing here, "))
      #expect(outcome.errors.contains("\(folder)/cache/models--Org--Name"))
      #expect(outcome.errors.contains("Fetch it: firefly download Org/Name."))
    }
  }

  @Test(arguments: [
    (["download", "/tmp/model"], "firefly: NAME: expected Org/Name, found '/tmp/model'\n"),
    (["download", "a/b@c", "--revision", "d"], "firefly: NAME names a revision already: 'a/b@c'\n"),
    (
      ["download", "a/b", "--revision", "x y"],
      "firefly: --revision: expected a branch, tag or commit, found 'x y'\n"
    ),
  ])
  func whatIsNoNameIsBadUsage(words: [String], message: String) throws {
    let outcome = try Command.run(words)
    #expect(outcome.status == 2)
    #expect(outcome.errors == message + "Try 'firefly download --help'.\n")
  }

  @Test func twoProcessesDoNotSpoilEachOthersFiles() throws {
    try inTemporaryFolder { folder in
      let hub = try hub { $0.change = { _, _, reply in reply.manner = .dripping } }
      let environment = environment(hub, folder)
      let outcomes = try Command.runTwice(["download", "tiny/model"], environment: environment)
      #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes.map(\.errors))")
      #expect(Set(outcomes.map(\.output)).count == 1)
      #expect(Set(hub.fetched.map(\.path)).count == hub.fetched.count, "a file was fetched twice")
      let path = outcomes[0].output.trimmingCharacters(in: .newlines)
      for (name, content) in try files(path) { #expect(try files(Fixture.model)[name] == content) }
    }
  }

  @Test func controlCKeepsWhatHasCome() throws {
    try inTemporaryFolder { folder in
      let asked = DispatchSemaphore(value: 0)
      let hub = try hub {
        $0.change = { path, before, reply in
          guard path == "model.safetensors", before == 0 else { return }
          reply.manner = .silent(after: reply.body.count / 2)
          asked.signal()
        }
      }
      let environment = environment(hub, folder)
      let outcome = try Command.run(["download", "tiny/model"], environment: environment) { process in
        asked.wait()
        process.interrupt()
      }
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.hasSuffix(
          "firefly: interrupted: what has come is kept, and the same command goes on from there\n"))
      let again = try Command.run(["download", "tiny/model"], environment: environment)
      #expect(again.status == 0, "\(again.errors)")
      let path = again.output.trimmingCharacters(in: .newlines)
      #expect(try files(path)["model.safetensors"] == files(Fixture.model)["model.safetensors"])
    }
  }
}
