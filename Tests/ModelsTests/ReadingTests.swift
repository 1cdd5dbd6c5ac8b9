import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@testable import FireflyModels

/// What a model's files come to where they say a thing twice or more than is known, numbers and lists from transformers
/// (tools/reference/reading_fixtures.py, known_keys.py).
@Suite struct ReadingTests {
  private static let folder = ModelFixture.root + "/readings"
  private static let rotary = (try? JSONValue.read(folder + "/rotary.json"))?["cases"]?.array ?? []
  private static let configs =
    (try? JSONValue.read(ModelFixture.root + "/keys/config.json"))?["keys"]?.object ?? [:]

  @Test(arguments: rotary.compactMap { $0["name"]?.string })
  func frequenciesAreTransformers(_ name: String) throws {
    let row = try #require(Self.rotary.first { $0["name"]?.string == name })
    let architecture = try Architecture(config: #require(row["config"]), source: "config.json")
    for (layers, rotary) in [("", architecture.rotary), ("windowed_", architecture.windowedRotary)] {
      let rotary = try #require(rotary ?? architecture.rotary)
      let expected = (row[layers + "frequencies"]?.array ?? []).compactMap { $0.double.map(Float.init) }
      assertClose(rotary.inverseFrequencies(length: 8), expected, Tolerance(relative: 1e-5))
      let attention = Float(row[layers + "attention"]?.double ?? 0)
      let tables = rotary.tables([Positions(first: 0, count: 1)], on: .cpu)
      assertClose(tables.cos.floats, expected.map { _ in attention }, Tolerance(relative: 1e-5))
    }
  }

  @Test func positionsThatDifferByLayerAreRefused() throws {
    let layers = JSONValue.object(["full_attention": .object(["rope_type": .string("default")])])
    try ModelFixture("gqa").withFolder(["rope_parameters": layers]) { folder in
      let error = #expect(throws: FireflyError.self) { try Architecture.read(ModelSource.open(folder)) }
      #expect(error?.place?.contains("full_attention") == true)
    }
  }

  /// A head that is not the embedding is believed before `tie_word_embeddings`.
  @Test func aHeadOfItsOwnBesideATiedOne() throws {
    let fixture = try ModelFixture("families/qwen2")
    let store = try WeightStore.open(Self.folder + "/untied.safetensors")
    let folder = try TemporaryFolder()
    let original = try WeightStore.open(fixture.folder + "/model.safetensors")
    let tensors = try original.names.map { name in
      (name, try original.tensor(name, shape: original.shape(of: name), as: .bfloat16))
    }
    let shape = try store.shape(of: "lm_head.weight")
    try SafeTensorsWriter.write(
      tensors + [("lm_head.weight", store.tensor("lm_head.weight", shape: shape, as: .bfloat16))],
      to: folder.path + "/model.safetensors")
    try folder.write(folderConfig(fixture), to: "config.json")
    let model = try Transformer.load(ModelSource.open(folder.path), compute: .float32, quantization: .none)
    let expected = try store.tensor("logits", shape: store.shape(of: "logits"), as: .float32)
    assertClose(
      model.logits(tokens: fixture.tokens, starts: fixture.starts).slice(0..<expected.shape[0]).floats,
      expected.floats, Tolerance(absolute: 1e-4))
    #expect(model.notes.count == 1 && model.notes[0].contains("tie_word_embeddings"))
  }

  /// Without going through names for each of them.
  @Test func moreLayersThanAnyModelHasAreRefused() throws {
    try ModelFixture("gqa").withFolder(["num_hidden_layers": .int(1_000_000)]) { folder in
      let error = #expect(throws: FireflyError.self) { try Architecture.read(ModelSource.open(folder)) }
      #expect(error?.found == "1000000")
    }
  }

  private func folderConfig(_ fixture: ModelFixture) throws -> Data {
    try Data(contentsOf: URL(filePath: fixture.folder + "/config.json"))
  }

  // MARK: - Keys

  @Test(arguments: ["gqa", "biased_tied", "rope_yarn", "rope_llama3", "gqa_nf4"] + ModelFixture.families)
  func publishedConfigurationsAreSilent(_ name: String) throws {
    #expect(try Architecture.read(ModelSource.open(ModelFixture(name).folder)).notes == [])
  }

  @Test(arguments: configs.keys.sorted())
  func everyKeyOfTheFamilyIsKnown(_ family: String) throws {
    let members = try #require(Self.configs[family]?.object)
    let usual = try Architecture.read(.object(members.merging(fillers(family)) { $1 }), source: "config.json")
    #expect(usual.notes.isEmpty)
    for (key, value) in members where key != "model_type" {
      let changed = members.merging(fillers(family)) { $1 }.merging([key: unusual(value)]) { $1 }
      // A wrong type or an impossible size is an error, which is seen too.
      guard let read = try? Architecture.read(.object(changed), source: "config.json") else { continue }
      let isSeen =
        read.architecture != usual.architecture || read.notes.contains { $0.contains(key) }
        || Architecture.configKeys.harmless.contains(key) || passed(family).contains(key)
      #expect(isSeen, "\(family): \(key)")
      #expect(!read.notes.contains { $0.contains("not known") }, "\(family): \(key)")
    }
    let stranger = members.merging(fillers(family)) { $1 }.merging(["new_key": .int(3)]) { $1 }
    #expect(
      try Architecture.read(.object(stranger), source: "config.json").notes.last?.contains("new_key") == true)
  }

  /// A folder may leave out what its class takes by itself.
  @Test(arguments: configs.keys.sorted())
  func aMissingKeyMeansWhatItsClassTakes(_ family: String) throws {
    let members = try #require(Self.configs[family]?.object).merging(fillers(family)) { $1 }
    let whole = try Architecture.read(.object(members), source: "config.json").architecture
    for key in members.keys {
      var less = members
      less[key] = nil
      // That sizes must be there is an error, which is seen.
      guard let read = try? Architecture.read(.object(less), source: "config.json") else { continue }
      #expect(read.architecture == whole, "\(family): \(key)")
    }
  }

  /// Values that published folders have and the library's defaults lack.
  private func fillers(_ family: String) -> [String: JSONValue] {
    switch family {
    case "deepseek_v2": ["num_experts_per_tok": .int(6)]
    case "seed_oss": ["attention_dropout": .int(0), "residual_dropout": .int(0)]
    default: [:]
    }
  }

  /// Keys that mean nothing without others, which are at their defaults.
  private func passed(_ family: String) -> [String] {
    switch family {
    case "qwen2", "qwen2_moe", "qwen3", "qwen3_moe":
      ["max_window_layers", "sliding_window", "use_sliding_window"]
    case "smollm3": ["no_rope_layer_interval", "sliding_window", "use_sliding_window"]
    case "gemma3_text": ["_sliding_window_pattern"]
    case "deepseek_v2": ["n_group", "topk_group"]
    default: []
    }
  }

  private func unusual(_ value: JSONValue) -> JSONValue {
    switch value {
    case .bool(let flag): .bool(!flag)
    case .int(let number): .int(number * 2 + 2)
    case .double(let number): .double(number * 2 + 0.5)
    case .string: .string("unusual")
    case .array: .array([.int(1)])
    case .object(let members) where members.values.contains { $0.object != nil }:
      .object(members.mapValues(unusual))
    case .object(let members): .object(members.merging(["rope_theta": .int(5)]) { $1 })
    case .null: .int(4)
    }
  }
}
