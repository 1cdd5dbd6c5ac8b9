import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@Suite struct AdapterTests {
  private func temporaryFolder() throws -> String {
    let path = NSTemporaryDirectory() + "firefly-adapter-\(UUID().uuidString)"
    try AtomicFile.makeFolder(path)
    return path
  }

  private func tensors(_ path: String) throws -> [String: [Float]] {
    let store = try WeightStore.open(path)
    return try Dictionary(
      uniqueKeysWithValues: store.names.map { name in
        let shape = try #require(store.info(name)).shape
        return (name, try store.tensor(name, shape: shape, as: .float32).floats)
      })
  }

  @Test(
    arguments: [
      ("gqa", "lora"), ("gqa", "rslora"), ("biased_tied", "lora"), ("families/mistral", "saved"),
    ]
      + ModelFixture.families.map { ($0, "lora") })
  func whatPEFTSavedIsSavedAgainTheSame(_ name: String, _ variant: String) throws {
    let fixture = try ModelFixture(name)
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try fixture.model(variant).saveAdapter(to: folder, baseModel: "some/base")

    let original = fixture.folder + "/adapter_" + variant
    let file = "/adapter_model.safetensors"
    #expect(try tensors(folder + file) == tensors(original + file))
    let written = try JSONValue.read(folder + "/adapter_config.json")
    let read = try JSONValue.read(original + "/adapter_config.json")
    for key in ["peft_type", "r", "bias", "fan_in_fan_out", "inference_mode", "modules_to_save"] {
      #expect(written[key] == read[key], "\(key)")
    }
    #expect(written["task_type"] == .string("CAUSAL_LM"))
    #expect(written["lora_alpha"]?.double == read["lora_alpha"]?.double)
    #expect(written["base_model_name_or_path"] == .string("some/base"))
    #expect(written["use_rslora"]?.bool ?? false == (variant == "rslora"))
  }

  /// Embedding and head come and go with the adapter; the base keeps its own.
  @Test func wholeModulesGoWithTheAdapter() throws {
    let fixture = try ModelFixture("families/mistral")
    let base = try fixture.model().logits(tokens: fixture.tokens, starts: fixture.starts).floats
    let model = try fixture.model("saved")
    func logits(_ pass: Pass = .evaluation) -> [Float] {
      model.logits(tokens: fixture.tokens, starts: fixture.starts, pass: pass).floats
    }
    let adapted = logits()
    #expect(adapted != base && logits(Pass(training: false, checkpointing: false, adapters: false)) == base)
    model.keepAdapter(as: "saved")
    model.detachAdapter()
    #expect(logits() == base)
    model.activate("saved")
    #expect(logits() == adapted)
  }

  /// Fresh, they are the base's; where an update moves them, answers follow.
  @Test func freshWholeModulesAreTheBases() throws {
    let fixture = try ModelFixture("families/xverse")
    let model = try fixture.model()
    let base = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
    try model.attachAdapter(LoRAOptions(rank: 2, modulesToSave: ["lm_head", "embed_tokens"]), seed: 1)
    #expect(model.logits(tokens: fixture.tokens, starts: fixture.starts).floats == base)
    #expect(model.parameters.first?.name == "base_model.model.model.embed_tokens.weight")
    #expect(model.parameters.last?.name == "base_model.model.lm_head.weight")
    // Pairs with B = 0 change no gradient of what is below or above them.
    _ = fixture.accumulate(model)
    let expected = try fixture.fullGradients()
    for (parameter, name) in [
      (model.parameters.first, "model.embed_tokens.weight"), (model.parameters.last, "lm_head.weight"),
    ] {
      let values = try #require(expected[name])
      assertClose(
        try #require(parameter).gradient.floats, values, .share(1e-3, ofLargest: values), name)
    }
  }

  @Test(arguments: [
    ("biased_tied", "lm_head", "the head as well"), ("biased_tied", "embed_tokens", "the head as well"),
    ("families/baichuan2_7b", "lm_head", "divided by their lengths"),
    ("families/xverse", "norm", "only the embedding"),
  ])
  func whatCannotBeTrainedWholeIsRefused(_ name: String, _ module: String, _ what: String) throws {
    let model = try ModelFixture(name).model()
    let error = #expect(throws: FireflyError.self) {
      try model.attachAdapter(LoRAOptions(modulesToSave: [module]), seed: 1)
    }
    #expect(error?.what.contains(what) == true && error?.place == "modules_to_save")
  }

  /// PEFT would leave the pair out, and not load it where the two are tied.
  @Test(arguments: [("families/mistral", "lm_head"), ("biased_tied", "embed_tokens")])
  func aHeadIsTrainedInOneWay(_ name: String, _ saved: String) throws {
    let model = try ModelFixture(name).model()
    let options = LoRAOptions(targetModules: ["q_proj", "lm_head"], modulesToSave: [saved], tiesSaved: true)
    let error = #expect(throws: FireflyError.self) { try model.attachAdapter(options, seed: 1) }
    #expect(error?.what == "the head is trained whole and has an adapter too")
  }

  @Test func aFreshAdapterChangesNothing() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 8), seed: 1)
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
    assertClose(logits, try fixture.tensor("base.logits"), Tolerance(absolute: 1e-4))
    for parameter in model.parameters where parameter.name.contains("lora_A") {
      let bound = 1 / Float(parameter.value.columns).squareRoot()
      let values = parameter.value.floats
      #expect(values.allSatisfy { abs($0) <= bound })
      #expect(values.contains { abs($0) > bound / 2 })
    }
  }

  /// r·(in + out) per linear layer.
  @Test func countsTrainableElements() throws {
    let model = try ModelFixture("gqa").model()
    try model.attachAdapter(LoRAOptions(rank: 8), seed: 1)
    let perLayer = 2 * (64 + 64) + 2 * (64 + 32) + 2 * (64 + 320) + (320 + 64)
    #expect(model.arena.trainable.count == 2 * 8 * perLayer)
    try model.attachAdapter(LoRAOptions(rank: 8, targetModules: ["q_proj", "v_proj"]), seed: 1)
    #expect(model.arena.trainable.count == 2 * 8 * ((64 + 64) + (64 + 32)))
    #expect(model.parameters.allSatisfy { $0.name.contains("q_proj") || $0.name.contains("v_proj") })
  }

  @Test func theSeedDecidesTheStart() throws {
    let model = try ModelFixture("gqa").model()
    func start(_ seed: UInt64) throws -> [[Float]] {
      try model.attachAdapter(LoRAOptions(rank: 4), seed: seed)
      return model.parameters.map(\.value.floats)
    }
    #expect(try start(1) == start(1))
    #expect(try start(1) != start(2))
  }

  @Test func aTargetThatIsNotThereIsNamed() throws {
    let model = try ModelFixture("gqa").model()
    let error = #expect(throws: FireflyError.self) {
      try model.attachAdapter(LoRAOptions(targetModules: ["W_pack"]), seed: 1)
    }
    #expect(error?.description.contains("W_pack") == true)
    #expect(error?.description.contains("q_proj") == true)
  }

  @Test(arguments: [
    ("use_dora", "true"), ("bias", "\"some\""), ("modules_to_save", "[\"lm_head\"]"),
    ("peft_type", "\"IA3\""),
    ("r", "9"), ("r", "\"8\""),
  ])
  func refusesWhatItDoesNotDo(_ key: String, _ value: String) throws {
    let fixture = try ModelFixture("gqa")
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let original = fixture.folder + "/adapter_lora/"
    var config = try #require(JSONValue.read(original + "adapter_config.json").object)
    config[key] = try JSONValue.parse(value, source: "test")
    try AtomicFile.write(
      Data(JSONValue.object(config).text().utf8), to: folder + "/adapter_config.json")
    try FileManager.default.copyItem(
      atPath: original + "adapter_model.safetensors", toPath: folder + "/adapter_model.safetensors")
    let model = try fixture.model()
    #expect(throws: FireflyError.self) { try model.loadAdapter(folder) }
    #expect(model.parameters.isEmpty, "a refused adapter leaves the model as it was")
  }

  @Test func anAdapterOfAnotherModelIsRefused() throws {
    let model = try ModelFixture("gqa").model()
    let other = try ModelFixture("biased_tied").folder + "/adapter_lora"
    #expect(throws: FireflyError.self) { try model.loadAdapter(other) }
  }

  @Test func detachingLeavesTheBase() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model("lora")
    model.detachAdapter()
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
    assertClose(logits, try fixture.tensor("base.logits"), Tolerance(absolute: 1e-4))
  }
}
