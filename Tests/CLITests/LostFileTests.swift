import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// Files that do what files should not while they are in use.
@Suite struct LostFileTests {
  /// A copy of the model that a test may spoil.
  private func withModel(_ body: (_ folder: String, _ weights: String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Fixture.model, toPath: folder.path + "/model")
    try body(folder.path, folder.path + "/model/model.safetensors")
  }

  @Test func aChatNamesTheFileThatGotShorter() throws {
    try withModel { folder, weights in
      // Says something, waits for an answer, cuts the weights and says something else.
      let outcome = try Command.shell(
        """
        cd \(folder); touch out
        (echo hello; until [ -s out ]; do :; done; truncate -s 4096 \(weights); echo again; echo again) |
          "$0" chat model --precision float32 --max-new-tokens 3 > out; exit ${PIPESTATUS[1]}
        """)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("model.safetensors: the file has become shorter"), "\(outcome.errors)")
    }
  }

  @Test func trainingSavesWhatItHas() throws {
    try withModel { folder, weights in
      let rows = (0..<8).map { #"{"conversation": [{"human": "\#($0)", "assistant": "\#($0)"}]}"# + "\n" }
      try AtomicFile.write(Data(rows.joined().utf8), to: folder + "/rows.jsonl")
      let config: [String: JSONValue] = [
        "model_name_or_path": .string("model"), "train_file": .string("rows.jsonl"),
        "output_dir": .string("out"), "template_name": .string("auto"), "max_seq_length": .int(32),
        "train_mode": .string("lora"), "precision": .string("float32"), "max_steps": .int(100_000_000),
        "per_device_train_batch_size": .int(1), "save_steps": .int(100_000_000), "lora_rank": .int(2),
      ]
      try AtomicFile.write(.object(config), to: folder + "/config.json")
      let outcome = try Command.shell(
        """
        cd \(folder)
        "$0" train config.json > out.txt & until grep -qs '"step"' out/progress.jsonl; do :; done
        truncate -s 4096 \(weights); wait $!
        """)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("model.safetensors: the file has become shorter"), "\(outcome.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/out")
      let checkpoint = try #require(names.first { $0.hasPrefix("checkpoint-") }, "\(names)")
      #expect(try JSONValue.read("\(folder)/out/\(checkpoint)/resume_state.json")["step"]?.int ?? 0 > 0)
    }
  }

  /// Opening a pipe that nobody writes to would wait for ever.
  @Test(arguments: ["config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"])
  func aPipeInPlaceOfAFileIsRefused(name: String) throws {
    try withModel { folder, _ in
      unlink("\(folder)/model/\(name)")
      try #require(mkfifo("\(folder)/model/\(name)", 0o600) == 0)
      let outcome = try Command.run("chat", "\(folder)/model", input: "hello\n")
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains(name) && outcome.errors.contains("not a plain file"), "\(outcome.errors)")
    }
  }

  @Test func withoutMemoryOrDescriptorsThereIsASentence() throws {
    let files = try Command.shell("ulimit -n 4; \"$0\" inspect \(Fixture.model)")
    #expect(files.status == 1)
    #expect(files.errors.contains("may not open enough files"))
  }
}
