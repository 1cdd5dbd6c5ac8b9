import FireflyBase
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// The table of keys, and that reading goes by it.
@Suite struct ConfigKeysTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().path

  private static func config(_ changes: [String: JSONValue]) throws -> RunConfig {
    let least: [String: JSONValue] = [
      "output_dir": .string("out"), "model_name_or_path": .string("model"),
      "train_file": .string("rows.jsonl"), "max_seq_length": .int(64), "template_name": .string("qwen"),
      "bf16": .bool(true),
    ]
    return try RunConfig(.object(least.merging(changes) { $1 }), source: "c.json")
  }

  /// Of every kind; a key accepts some of them.
  static let samples: [JSONValue] = [
    .bool(true), .int(-7), .int(0), .int(3), .double(0.5), .double(1e20), .string(""), .string("x"),
    .array([]), .array([.string("x")]), .array([.int(1)]), .object([:]), .object(["a": .int(1)]),
  ]

  /// The settings with which a key is read.
  private static func config(_ key: KeyDeclaration, _ value: JSONValue) throws -> RunConfig {
    let isFull = key.about.trainings.modes == [.full]
    return try config((isFull ? ["train_mode": .string("full")] : [:]).merging([key.name: value]) { $1 })
  }

  private static func error(_ key: KeyDeclaration, _ value: JSONValue) -> FireflyError? {
    do {
      _ = try config(key, value)
      return nil
    } catch { return error as? FireflyError }
  }

  /// No key stands in the table unread: each refuses what its shape refuses, by its name.
  @Test(arguments: ConfigKeys.names) func whatAShapeRefusesIsRefused(_ name: String) throws {
    let key = try #require(ConfigKeys.named(name))
    let refused = Self.samples.filter { !key.shape.accepts($0) }
    #expect(!refused.isEmpty)
    for value in refused {
      let error = Self.error(key, value)?.description ?? ""
      #expect(error.contains("\"\(name)\" has a wrong value"), "\(value.text()): \(error)")
    }
  }

  /// And what it accepts has another fault at most: of the few names of its task, or beside other keys.
  @Test(arguments: ConfigKeys.names) func whatAShapeAcceptsIsNoWrongValue(_ name: String) throws {
    let key = try #require(ConfigKeys.named(name))
    let isOfTask = ["loss_type", "metric_for_best_model"].contains(name)
    for value in Self.samples + [key.about.example] where key.shape.accepts(value) && !isOfTask {
      #expect(Self.error(key, value)?.what != "\"\(name)\" has a wrong value", "\(value.text())")
    }
  }

  /// A default that the table says is the one that holds.
  @Test(arguments: ConfigKeys.names) func defaultsAreWhatIsSaid(_ name: String) throws {
    let key = try #require(ConfigKeys.named(name))
    // Without these two the settings are others: a template by the model's name, and no precision.
    guard case .value(let value) = key.standard, name != "bf16", name != "template_name" else { return }
    let settings = { (config: RunConfig) in
      Mirror(reflecting: config).children.filter { $0.label != "source" && $0.label != "notices" }
        .map { "\($0.label ?? ""): \($0.value)" }
    }
    #expect(key.shape.accepts(value))
    #expect(try settings(Self.config(key, value)) == settings(Self.config(key, .null)))
  }

  @Test func everyKeyIsDescribedInBothLanguages() {
    #expect(Set(ConfigKeys.names).count == ConfigKeys.names.count)
    for key in ConfigKeys.all {
      #expect(key.shape.accepts(key.about.example), "\(key.name): its example")
      let (english, chinese) = (key.about.meaning[.english], key.about.meaning[.chinese])
      #expect(english.hasSuffix("."), "\(key.name)")
      #expect(chinese.hasSuffix("。") && chinese != english, "\(key.name)")
    }
  }

  /// Keys are transformers' and PEFT's where the libraries' own lists have them.
  @Test func originsAreThoseOfTheLibraries() throws {
    let json = try JSONValue.read("\(Self.folder)/../Fixtures/configuration_keys.json")
    let names = { (list: String) in Set((json[list]?.array ?? []).compactMap { $0["key"]?.string }) }
    let original: Set = ["task_type", "lora_alpha", "lora_dropout", "beta"]
    for key in ConfigKeys.all where !original.contains(key.name) {
      if names("TrainingArguments").contains(key.name) {
        #expect(key.about.origin == .transformers, "\(key.name)")
      }
      if names("LoraConfig").contains(key.name) { #expect(key.about.origin == .peft, "\(key.name)") }
      if key.about.origin == .ours {
        let theirs = ["TrainingArguments", "SFTConfig", "DPOConfig", "LoraConfig"].filter {
          names($0).contains(key.name)
        }
        #expect(theirs.isEmpty, "\(key.name)")
      }
    }
  }

  @Test func noKeyIsOursAndForeign() throws {
    for name in ConfigKeys.names {
      guard case .own = try KeyLookup(name) else {
        Issue.record("\(name)")
        continue
      }
      #expect(!ForeignKeys.isHarmless(name))
    }
  }

  @Test(arguments: [
    ("fsdp", "training runs in one process"), ("run_name", "changes nothing"),
    ("label_smoothing_factor", "Refused unless it is 0, null"),
    ("prompt_max_length", "\"max_prompt_length\""),
    ("cutoff_len", "\"max_seq_length\""), ("wandb_project", "\"report_to\""),
  ])
  func otherNamesSayWhatBecomesOfThem(_ name: String, _ told: String) throws {
    switch try KeyLookup(name) {
    case .own: Issue.record("\(name)")
    case .foreign(let text), .elsewhere(let text): #expect(text.contains(told), "\(text)")
    }
  }

  @Test func aNameOfNobodyIsRefusedWithTheNearest() {
    let error = thrownError { _ = try KeyLookup("lora_rnak") }
    #expect(error?.fix == "Did you mean \"lora_rank\"? 'firefly keys' lists all keys.")
    #expect(thrownError { _ = try KeyLookup("zzzzzz") }?.fix == "Remove it; 'firefly keys' lists all keys.")
  }

  @Test func keysOfOtherTrainingsAreTold() throws {
    let full = try Self.config([
      "train_mode": .string("full"), "lora_rank": .int(8), "use_rslora": .bool(true),
    ])
    #expect(
      full.notices == [
        "of train_mode \"lora\" and \"qlora\" alone, and ignored: \"lora_rank\", \"use_rslora\""
      ])
  }

  // MARK: - Documents

  /// docs/ is made by `firefly keys --markdown [--lang zh]`.
  @Test(arguments: [(KeyLanguage.english, "configuration.md"), (.chinese, "configuration.zh-CN.md")])
  func documentsAreInStep(_ language: KeyLanguage, _ name: String) throws {
    let text = try String(contentsOfFile: "\(Self.folder)/../../../docs/\(name)", encoding: .utf8)
    #expect(
      text == ConfigReference.markdown(language), "make it anew: firefly keys --markdown > docs/\(name)")
  }
}
