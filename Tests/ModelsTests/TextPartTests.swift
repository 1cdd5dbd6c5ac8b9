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

  @Test func otherTextPartsAreRefused() throws {
    let fixture = try ModelFixture("families/mistral")
    try withImages(fixture, "mistral3", Self.spellings[0], text: { $0["model_type"] = .string("mistral4") }) {
      folder in
      let error = #expect(throws: FireflyError.self) { try ModelSource.open(folder) }
      #expect(error?.place == "\(folder)/config.json: text_config.model_type")
      #expect(error?.expected == "ministral3, mistral" && error?.found == "mistral4")
    }
  }
}
