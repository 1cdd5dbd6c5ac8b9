import FireflyBase
import FireflyTestSupport
import FireflyText
import FireflyTraining
import Foundation
import Testing

/// A run's configuration as a file.
@Suite struct ConfigFileTests {
  private static let yaml = """
    # a comment
    model_name_or_path: models/Qwen-7B
    train_file:
      - a.jsonl
      - {file: b.jsonl, share: 0.3}
    output_dir: "out"
    template_name: qwen
    max_seq_length: 1024
    learning_rate: 1e-4
    lora_dropout: 0.0
    bf16: true
    save_strategy: no
    eval_steps: ~
    lora_target_modules: [q_proj, 'v_proj']
    """

  private static func read(_ text: String, _ name: String) throws -> RunConfig {
    try read(Data(text.utf8), name)
  }

  private static func read(_ data: Data, _ name: String) throws -> RunConfig {
    let folder = try TemporaryFolder()
    return try RunConfig(file: folder.write(data, to: name))
  }

  private static func error(_ text: String, _ name: String) -> FireflyError? {
    thrownError { _ = try read(text, name) }
  }

  @Test(arguments: ["c.yaml", "c.yml"]) func yamlIsReadAsJSONIs(_ name: String) throws {
    let config = try Self.read(Self.yaml, name)
    #expect(config.trainFile == "a.jsonl, b.jsonl" && config.trainFiles[1].share == 0.3)
    #expect(config.learningRate == 1e-4 && config.loraDropout == 0 && config.maxSequenceLength == 1024)
    #expect(config.saveInterval == .no && config.loraTargetModules == ["q_proj", "v_proj"])
    let json = try RunConfig(JSONValue.parse(config.source.text(), source: "t"), source: "t")
    #expect(json.source == config.source)
  }

  @Test(arguments: [
    ("a: [1, 2", ":2"), ("a: 1\nb: &x 2\n", ":2"), ("a: 1\n\nb: *x\n", ":3"), ("a: !!str 1\n", ":1"),
    ("a: 1\nb: 2\na: 3\n", ":3"), ("a: 1\n---\nb: 2\n", ":2"), ("? [a]\n: 1\n", ":1"), ("a:\n\t- 1\n", ":2"),
  ])
  func wrongYAMLIsNamedWithItsLine(_ text: String, _ line: String) throws {
    let error = try #require(Self.error(text, "c.yaml"))
    #expect(error.place?.hasSuffix("c.yaml\(line)") == true, "\(error)")
  }

  @Test func emptyFilesAndBytesThatAreNoText() {
    #expect(Self.error("", "c.json")?.what == "the file is empty")
    #expect(Self.error("", "c.yaml")?.what == "the file is empty")
    #expect(Self.error("# nothing\n", "c.yaml")?.what == "the file is empty")
    #expect(
      thrownError { _ = try Self.read(Data([0x61, 0x3A, 0xFF]), "c.yaml") }?.what.contains("YAML") == true)
    #expect(
      Self.error(String(repeating: "[", count: 5000), "c.yaml")?.description.contains("too deep") == true)
  }

  @Test func aKeyTwiceIsRefused() {
    let error = Self.error(#"{"seed": 1, "bf16": true, "seed": 2}"#, "c.json")
    #expect(error?.what == "the key \"seed\" stands twice")
  }

  @Test func whatJSONHasNotIsSaid() throws {
    let error = try #require(Self.error("{\n  // a comment\n  \"seed\": 1\n}", "c.json"))
    #expect(error.what == "not valid JSON: unexpected \"/\" in line 2, column 3")
    #expect(error.fix?.contains("no comments") == true)
  }

  /// Another trainer's whole file: all of its keys are named at once.
  @Test func anotherTrainersFileTellsAllNames() throws {
    let text = """
      ### model
      model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
      stage: sft
      finetuning_type: lora
      lora_target: all
      dataset: identity,alpaca_en_demo
      template: llama3
      cutoff_len: 2048
      output_dir: saves/llama3-8b
      """
    let told = try #require(Self.error(text, "llama3_lora_sft.yaml")).description
    for part in [
      "\"task_type\"", "\"train_mode\"", "\"lora_target_modules\"", "\"train_file\"", "\"template_name\"",
      "\"max_seq_length\"",
    ] {
      #expect(told.contains("\(part) here"), "\(part): \(told)")
    }
  }

  @Test func aNamedPipeIsNotWaitedFor() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/pipe.json"
    #expect(mkfifo(path, 0o600) == 0)
    #expect(thrownError { _ = try RunConfig(file: path) }?.what == "not a plain file")
  }
}
