import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Models of texts and images, of which the text part is used.
@Suite struct TextPartTests {
  /// Folders as they are published and as transformers 5 writes them, and as 4.52 did: what stands before the text part's names.
  private static let spellings = [
    ["model.": "language_model.model.", "lm_head.": "language_model.lm_head."],
    ["model.": "model.language_model.", "lm_head.": "lm_head."],
  ]

  /// The fixture's model as the text part of a larger one.
  private func withImages(
    _ fixture: ModelFixture, _ type: String, _ prefixes: [String: String],
    text: (inout [String: JSONValue]) -> Void = { _ in }, body: (String) throws -> Void
  ) throws {
    let folder = try TemporaryFolder()
    let own = try ModelSource.open(fixture.folder)
    var tensors: [(name: String, tensor: Tensor)] = [
      ("vision_tower.vision_model.post_layernorm.weight", Tensor([1, 2], [2])),
      ("multi_modal_projector.mm_input_projection_weight", Tensor([1, 2], [2])),
    ]
    for name in own.weights.names {
      let (old, new) = try #require(prefixes.first { name.hasPrefix($0.key) })
      let shape = try #require(own.weights.info(name)).shape
      let tensor = try own.weights.tensor(name, shape: shape, as: .bfloat16)
      tensors.append((new + name.dropFirst(old.count), tensor))
    }
    try SafeTensorsWriter.write(tensors, to: folder.path + "/model.safetensors")
    var part = try #require(own.config.object)
    text(&part)
    let config: JSONValue = .object([
      "model_type": .string(type), "text_config": .object(part), "image_token_index": .int(9),
      "vision_config": .object(["hidden_size": .int(2)]),
    ])
    try AtomicFile.write(config, to: folder.path + "/config.json")
    try body(folder.path)
  }

  @Test(arguments: spellings) func theTextPartIsTheModel(_ prefixes: [String: String]) throws {
    for (name, type, written) in [
      ("families/gemma3_text", "gemma3", "Gemma3ForCausalLM"),
      ("families/mistral", "mistral3", "MistralForCausalLM"),
      ("families/ministral3", "mistral3", "Ministral3ForCausalLM"),
    ] {
      let fixture = try ModelFixture(name)
      try withImages(fixture, type, prefixes) { folder in
        let source = try ModelSource.open(folder)
        let model = try Transformer.load(source, compute: .float32, quantization: .none)
        try model.loadAdapter(fixture.folder + "/adapter_lora")
        let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
        assertClose(logits, try fixture.tensor("lora.logits"), Tolerance(absolute: 1e-4))
        #expect(model.notes.count == 1)
        #expect(
          model.notes.first?.hasSuffix(
            "2 tensors that read images are left out, and what is written is \(written)") == true)
        #expect(source.config["architectures"] == .array([.string(written)]))
      }
    }
  }

  /// Gemma 3's published text parts leave out what is usual: the sizes of the 4B's heads and the vocabulary.
  @Test func whatIsUsualIsFilledIn() throws {
    let fixture = try ModelFixture("families/gemma3_text")
    let left = ["model_type", "vocab_size", "num_attention_heads", "num_key_value_heads", "head_dim"]
    try withImages(fixture, "gemma3", Self.spellings[0], text: { part in left.forEach { part[$0] = nil } }) {
      let config = try ModelSource.open($0).config
      #expect(config["model_type"]?.string == "gemma3_text")
      #expect(config["vocab_size"]?.int == 262_208 && config["head_dim"]?.int == 256)
      #expect(config["num_attention_heads"]?.int == 8 && config["num_key_value_heads"]?.int == 4)
    }
  }

  /// What the text part says of its head counts for nothing: transformers asks the whole, then the files.
  @Test func aHeadThatTheFilesLackIsTied() throws {
    for (name, type, isTied) in [("gemma3_text", "gemma3", true), ("mistral", "mistral3", false)] {
      let fixture = try ModelFixture("families/" + name)
      let says: (inout [String: JSONValue]) -> Void = { $0["tie_word_embeddings"] = .bool(!isTied) }
      try withImages(fixture, type, Self.spellings[0], text: says) { folder in
        let read = try Architecture.read(ModelSource.open(folder))
        #expect(read.architecture.tiedHead == isTied)
      }
    }
  }

  @Test func aCapThatOnlyTheTextPartAloneHasIsRefused() throws {
    let fixture = try ModelFixture("families/gemma3_text")
    let caps: (inout [String: JSONValue]) -> Void = { $0["final_logit_softcapping"] = 30 }
    try withImages(fixture, "gemma3", Self.spellings[0], text: caps) { folder in
      let error = #expect(throws: FireflyError.self) { try ModelSource.open(folder) }
      #expect(error?.place?.contains("final_logit_softcapping") == true)
    }
  }

  @Test func otherTextPartsAreRefused() throws {
    let fixture = try ModelFixture("families/mistral")
    try withImages(fixture, "mistral3", Self.spellings[0], text: { $0["model_type"] = .string("mistral4") }) {
      folder in
      let error = #expect(throws: FireflyError.self) { try ModelSource.open(folder) }
      #expect(error?.place == "\(folder)/config.json: text_config.model_type")
      #expect(error?.expected == "ministral3, mistral" && error?.found == "mistral4")
    }
  }

  // MARK: - Adapters of the whole

  private static let adapters = ModelFixture.root + "/text_parts"

  /// The base's text part, under one of the spellings of the whole.
  private func withWhole(
    _ type: String, _ spelling: [String: String], body: (Transformer, ModelFixture) throws -> Void
  )
    throws
  {
    let fixture = try ModelFixture("families/" + (type == "gemma3" ? "gemma3_text" : "ministral3"))
    try withImages(fixture, type, spelling) { folder in
      try body(
        Transformer.load(ModelSource.open(folder), compute: .float32, quantization: .none), fixture)
    }
  }

  /// Of PEFT's adapter, its configuration and tensors as older transformers would have named them.
  private func older(_ type: String, in folder: TemporaryFolder) throws -> String {
    let path = "\(Self.adapters)/\(type)"
    let text = try String(contentsOfFile: path + "/adapter_config.json", encoding: .utf8)
    try AtomicFile.write(
      Data(text.replacing("language_model.layers", with: "language_model.model.layers").utf8),
      to: folder.path + "/adapter_config.json")
    let store = try WeightStore.open(path + "/adapter_model.safetensors")
    let tensors = try store.names.map { name in
      (
        name: name.replacing("model.language_model.", with: "language_model.model."),
        tensor: try store.tensor(name, shape: store.shape(of: name), as: .float32)
      )
    }
    try SafeTensorsWriter.write(tensors, to: folder.path + "/adapter_model.safetensors")
    return folder.path
  }

  private func expected(_ type: String) throws -> Tensor {
    let store = try WeightStore.open("\(Self.adapters)/\(type)/expected.safetensors")
    return try store.tensor("logits", shape: store.shape(of: "logits"), as: .float32)
  }

  /// PEFT's adapters of whole models, and what is for images in them is told.
  @Test(arguments: ["gemma3", "mistral3"], [false, true])
  func adaptersOfTheWholeAreRead(_ type: String, _ isOlder: Bool) throws {
    let folder = try TemporaryFolder()
    let adapter = isOlder ? try older(type, in: folder) : "\(Self.adapters)/\(type)"
    try withWhole(type, Self.spellings[isOlder ? 0 : 1]) { model, fixture in
      let count = model.notes.count
      try model.loadAdapter(adapter)
      let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts)
      assertClose(logits.floats, try expected(type).floats, Tolerance(absolute: 1e-4))
      #expect(model.notes.count == count + 1 && model.notes.last?.contains("reading images") == true)
    }
    // The text part alone is another base of it.
    let alone = try ModelFixture("families/" + (type == "gemma3" ? "gemma3_text" : "ministral3"))
    let model = try alone.model()
    try model.loadAdapter(adapter)
    let logits = model.logits(tokens: alone.tokens, starts: alone.starts)
    assertClose(logits.floats, try expected(type).floats, Tolerance(absolute: 1e-4))
  }

  /// An adapter on the text part of a whole model is written for the whole, as PEFT was seen to take it.
  @Test(arguments: ["gemma3", "mistral3"]) func adaptersAreWrittenForTheWhole(_ type: String) throws {
    let folder = try TemporaryFolder()
    try withWhole(type, Self.spellings[0]) { model, fixture in
      try model.loadAdapter("\(Self.adapters)/\(type)")
      let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
      try model.saveAdapter(to: folder.path, baseModel: "..")
      let count = model.notes.count
      try model.loadAdapter(folder.path)
      #expect(model.notes.count == count)
      #expect(model.logits(tokens: fixture.tokens, starts: fixture.starts).floats == logits)
    }
    let written = try JSONValue.read(folder.path + "/adapter_config.json")
    for (key, value) in try #require(JSONValue.read(Self.adapters + "/written.json").object) {
      #expect(written[key] == value, "\(key)")
    }
    let names = try [folder.path, "\(Self.adapters)/\(type)"].map {
      try WeightStore.open($0 + "/adapter_model.safetensors").names
    }
    #expect(names[0] == names[1].filter { $0.contains("language_model") })
  }
}
