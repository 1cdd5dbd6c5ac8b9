import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@testable import FireflyModels

/// adapter_config.json against PEFT: what its own loading of the same folders computes (tools/reference/adapter_fixtures.py),
/// and every key of its LoraConfig (tools/reference/known_keys.py).
@Suite struct AdapterConfigTests {
  private static let folder = ModelFixture.root + "/adapters"
  private static let file = (try? JSONValue.read(folder + "/cases.json")) ?? .null
  private static let names = (file["cases"]?.object ?? [:]).keys.sorted()
  private static let starts = (file["starts"]?.object ?? [:]).keys.sorted()
  private static let keys =
    (try? JSONValue.read(ModelFixture.root + "/keys/adapter_config.json"))?["keys"]?.object ?? [:]

  /// A PEFT folder of the fixture's tensors under a configuration with `changes`; pairs keep the order of patterns.
  private func write(_ changes: [String: JSONValue], to folder: TemporaryFolder) throws {
    var members = (Self.file["config"]?.object ?? [:]).merging(changes) { $1 }.mapValues { $0.text() }
    for (key, value) in changes where key.hasSuffix("_pattern") && value.array?.first?.array != nil {
      let pairs = (value.array ?? []).compactMap { pair in
        pair.array.map { "\($0[0].text()): \($0[1].text())" }
      }
      members[key] = "{" + pairs.joined(separator: ", ") + "}"
    }
    let tensors = changes["tensors"]?.string ?? "plain"
    members["tensors"] = nil
    let text = members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",\n")
    try AtomicFile.write(Data("{\(text)}".utf8), to: folder.path + "/adapter_config.json")
    let weights = folder.path + "/adapter_model.safetensors"
    if !FileManager.default.fileExists(atPath: weights) {
      try FileManager.default.copyItem(atPath: Self.folder + "/\(tensors).safetensors", toPath: weights)
    }
  }

  private func expected(_ name: String) throws -> [Float] {
    let store = try WeightStore.open(Self.folder + "/expected.safetensors")
    return try store.tensor(name, shape: store.shape(of: name), as: .float32).floats
  }

  /// The first rows that the fixture has.
  private func logits(_ model: Transformer, _ fixture: ModelFixture, rows: Int = 8) -> [Float] {
    model.logits(tokens: fixture.tokens, starts: fixture.starts).slice(0..<rows).floats
  }

  @Test func allCasesAreThere() {
    #expect(Self.names.count > 12 && Self.starts.count > 8 && Self.keys.count > 40)
  }

  @Test(arguments: names)
  func answersAsPEFT(_ name: String) throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    let folder = try TemporaryFolder()
    try write(try #require(Self.file["cases"]?[name]?.object), to: folder)
    try model.loadAdapter(folder.path)
    assertClose(logits(model, fixture), try expected("\(name).logits"), Tolerance(absolute: 1e-4))

    // Written again and read again it is the same, to PEFT's rules and to ours.
    let again = try TemporaryFolder()
    try model.saveAdapter(to: again.path, baseModel: "..")
    let second = try fixture.model()
    try second.loadAdapter(again.path)
    #expect(logits(second, fixture) == logits(model, fixture))
    #expect(second.arena.trainable.slots == model.arena.trainable.slots)
  }

  /// Of experts whose matrices lie in one tensor a layer PEFT has one pair.
  @Test(arguments: ["qwen3_moe", "deepseek_v2", "qwen2_moe"])
  func pairsOfParametersAreThoseOfEachExpert(_ family: String) throws {
    let fixture = try ModelFixture("families/" + family)
    let model = try fixture.model()
    let file = try AdapterFile(Self.folder + "/experts/" + family)
    #expect(file.hasParameters && file.modules.contains { $0.hasSuffix("experts.1.down_proj") })
    try model.loadAdapter(file, onOwnBase: false)
    #expect(model.notes.isEmpty)
    assertClose(
      logits(model, fixture), try expected("experts.\(family).logits"), Tolerance(absolute: 1e-4))

    // Written as pairs of each expert it is the same.
    let again = try TemporaryFolder()
    try model.saveAdapter(to: again.path, baseModel: "..")
    let second = try fixture.model()
    try second.loadAdapter(again.path)
    #expect(logits(second, fixture) == logits(model, fixture))
  }

  /// PEFT ties BLOOM's word_embeddings where modules_to_save names lm_head too, and leaves the head as it was otherwise.
  @Test func aTiedEmbeddingOfAnotherName() throws {
    let fixture = try ModelFixture("families/bloom")
    let model = try fixture.model()
    let options = LoRAOptions(rank: 2, modulesToSave: ["word_embeddings"], tiesSaved: true)
    try model.attachAdapter(options, seed: 1)
    for parameter in model.parameters { Ops.scale(parameter.value.matrix, by: 1.5) }
    model.parametersChanged()
    let folder = try TemporaryFolder()
    try model.saveAdapter(to: folder.path, baseModel: "..")
    let path = folder.path + "/adapter_config.json"
    var config = try #require(JSONValue.read(path).object)
    #expect(config["modules_to_save"] == .array([.string("word_embeddings"), .string("lm_head")]))
    let again = try fixture.model()
    try again.loadAdapter(folder.path)
    #expect(logits(again, fixture) == logits(model, fixture))

    config["modules_to_save"] = .array([.string("word_embeddings")])
    try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: path)
    #expect(try !AdapterFile(folder.path).options.tiesSaved)
  }

  @Test func aPairOfParametersOfAnotherRankIsRefused() throws {
    let folder = try TemporaryFolder()
    let original = Self.folder + "/experts/qwen3_moe/"
    var config = try #require(JSONValue.read(original + "adapter_config.json").object)
    config["rank_pattern"] = .object(["experts.gate_up_proj": .int(4)])
    try AtomicFile.write(
      Data(JSONValue.object(config).text().utf8), to: folder.path + "/adapter_config.json")
    let weights = "adapter_model.safetensors"
    try FileManager.default.copyItem(atPath: original + weights, toPath: folder.path + "/" + weights)
    let error = #expect(throws: FireflyError.self) { try AdapterFile(folder.path) }
    #expect(error?.what == "the pair of the experts' parameter has an unknown shape")
  }

  @Test func patternsKeepTheirOrderWhenWritten() throws {
    let model = try ModelFixture("gqa").model()
    let folder = try TemporaryFolder()
    try write(try #require(Self.file["cases"]?["many_patterns"]?.object), to: folder)
    try model.loadAdapter(folder.path)
    let again = try TemporaryFolder()
    try model.saveAdapter(to: again.path, baseModel: "..")
    let text = String(decoding: try again.data("adapter_config.json"), as: UTF8.self)
    let names = [
      "\"x\"", "layers.1.mlp", "\"proj\"", "(q|k)_proj", "layers.[01]", "\"q_proj\": 6", "\"k_proj\": 7",
    ]
    let places = names.map { text.range(of: $0)?.lowerBound }
    #expect(places.allSatisfy { $0 != nil } && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(try JSONValue.parse(text, source: "test")["alpha_pattern"]?.object?.count == 8)
  }

  /// What PEFT changes the base for is refused with the way out; the rest answers as PEFT.
  @Test(arguments: starts)
  func startsThatChangeTheBaseAreRefused(_ start: String) throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    let folder = try TemporaryFolder()
    try write(["init_lora_weights": JSONValue.parse(start, source: "test")], to: folder)
    let isPlain = Self.file["starts"]?[start]?.string == "plain" && start != "\"lora_ga\""
    guard isPlain else {
      let error = #expect(throws: FireflyError.self) { try model.loadAdapter(folder.path) }
      #expect(error?.place?.hasSuffix("adapter_config.json: init_lora_weights") == true)
      #expect(error?.fix?.contains("path_initial_model_for_weight_conversion") == true)
      return
    }
    try model.loadAdapter(folder.path)
    assertClose(logits(model, fixture), try expected("plain.logits"), Tolerance(absolute: 1e-4))
  }

  /// Values that PEFT's newest version does not have by default.
  private static let unusual: [String: JSONValue] = [
    "alora_invocation_tokens": .array([.int(1)]), "alpha_pattern": .object(["q_proj": .int(3)]),
    "arrow_config": .object(["top_k": .int(3)]), "bias": .string("all"),
    "exclude_modules": .array([.string("k_proj")]),
    "init_lora_weights": .string("pissa"), "kasa_config": .object(["beta": .double(1)]),
    "layer_replication": .array([.array([.int(0), .int(1)])]), "layers_to_transform": .array([.int(0)]),
    "layers_pattern": .string("layers"), "lora_alpha": .int(3), "lora_dropout": .double(0.5),
    "megatron_config": .object(["a": .int(1)]), "modules_to_save": .array([.string("lm_head")]),
    "monteclora_config": .object(["num_samples": .int(2)]), "peft_type": .string("IA3"), "r": .int(9),
    "rank_pattern": .object(["q_proj": .int(3)]), "target_modules": .array([.string("k_proj")]),
    "target_parameters": .array([.string("q_proj.weight")]), "trainable_token_indices": .array([.int(3)]),
    "use_bdlora": .object(["nblocks": .int(2)]),
  ]

  @Test(arguments: keys.keys.sorted())
  func noKeyOfPEFTPassesUnseen(_ key: String) throws {
    let usual = try TemporaryFolder()
    try write(key == "peft_type" || key == "r" ? [:] : [key: Self.keys[key] ?? .null], to: usual)
    #expect(try AdapterFile(usual.path).notes.filter { !$0.contains("pairs of") }.isEmpty)

    let value = Self.unusual[key] ?? (Self.keys[key]?.bool == false ? .bool(true) : .string("unusual"))
    let folder = try TemporaryFolder()
    try write([key: value], to: folder)
    let model = try ModelFixture("gqa").model()
    do {
      try model.loadAdapter(folder.path)
    } catch let error as FireflyError {
      return #expect(
        error.description.contains(key) || ["modules_to_save", "r", "rank_pattern"].contains(key))
    }
    let plain = try ModelFixture("gqa").model()
    try plain.loadAdapter(usual.path)
    let isFollowed = model.adapterOptions != plain.adapterOptions
    let isTold = model.notes.contains { $0.contains(key) }
    // These say nothing of this model, which has no biases and no layers of another name, or of this adapter, where what they
    // name has a pair anyway, or nothing is whole.
    let isEmpty = ["layers_pattern", "bias", "target_parameters", "ensure_weight_tying"].contains(key)
    #expect(isFollowed || isTold || AdapterConfig.keys.harmless.contains(key) || isEmpty)
  }

  @Test func keysThatNobodyKnows() throws {
    let quiet = try TemporaryFolder()
    try write(["use_new": .bool(false), "new_config": .null, "new_list": .array([])], to: quiet)
    #expect(try AdapterFile(quiet.path).notes.count == 1)
    let told = try TemporaryFolder()
    try write(["new_size": .int(16)], to: told)
    #expect(try AdapterFile(told.path).notes.contains { $0.contains("new_size") })
    for value in [JSONValue.bool(true), .object(["a": .int(1)]), .array([.int(1)])] {
      let folder = try TemporaryFolder()
      try write(["use_new": value], to: folder)
      let error = #expect(throws: FireflyError.self) { try AdapterFile(folder.path) }
      #expect(error?.place?.hasSuffix("use_new") == true)
    }
  }

  @Test func aPatternThatIsNoExpressionIsNamed() throws {
    let folder = try TemporaryFolder()
    try write(["alpha_pattern": .object(["(q_proj": .int(3)])], to: folder)
    let error = #expect(throws: FireflyError.self) { try AdapterFile(folder.path) }
    #expect(error?.place?.hasSuffix("alpha_pattern") == true)
  }
}
