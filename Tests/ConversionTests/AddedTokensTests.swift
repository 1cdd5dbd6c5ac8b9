import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

/// Files of a model whose adapter brings a tokenizer with further tokens, and rows for them.
@Suite struct AddedTokensTests {
  private static let rows = 323

  /// An adapter of PEFT's kind: three tokens more than the model's 320, embedding and head whole.
  private func writeAdapter(to folder: String) throws {
    try AtomicFile.makeFolder(folder)
    let config = try #require(JSONValue.read(Fixtures.adapter + "/adapter_config.json").object)
    let saved = JSONValue.array([.string("embed_tokens"), .string("lm_head")])
    try AtomicFile.write(
      JSONValue.object(config.merging(["modules_to_save": saved]) { $1 }), to: folder + "/adapter_config.json"
    )
    let pairs = try AdapterFile.weights(in: Fixtures.adapter)
    var tensors = try pairs.names.map { name in
      (name: name, tensor: try pairs.tensor(name, shape: pairs.shape(of: name), as: .float32))
    }
    for (seed, module) in ["model.embed_tokens", "lm_head"].enumerated() {
      let table = Tensor.random([Self.rows, 32], .float32, seed: UInt64(seed))
      tensors.append(("base_model.model.\(module).weight", table))
    }
    try SafeTensorsWriter.write(tensors, to: folder + "/adapter_model.safetensors")

    var tokenizer = try #require(JSONValue.read(Fixtures.model + "/tokenizer.json").object)
    let added = try #require(tokenizer["added_tokens"]?.array)
    let new = (320..<Self.rows).map { id in
      JSONValue.object([
        "id": .int(id), "content": .string("<new\(id)>"), "single_word": .bool(false), "lstrip": .bool(false),
        "rstrip": .bool(false), "normalized": .bool(false), "special": .bool(false),
      ])
    }
    tokenizer["added_tokens"] = .array(added + new)
    try AtomicFile.write(JSONValue.object(tokenizer), to: folder + "/tokenizer.json")
    let name = "/tokenizer_config.json"
    try FileManager.default.copyItem(atPath: Fixtures.model + name, toPath: folder + name)
  }

  private func logits(_ model: Transformer, _ tokens: [Int32]) -> [Float] {
    model.logits(tokens: tokens, starts: [0, Int32(tokens.count)]).floats
  }

  @Test(arguments: ["folder", "gguf"]) func modelAndTokenizerAgree(_ form: String) throws {
    let folder = try TemporaryFolder()
    let adapter = folder.path + "/adapter"
    try writeAdapter(to: adapter)
    let opened = try Pretrained.open(Fixtures.model, adapter: adapter)
    let out = folder.path + (form == "gguf" ? "/out.gguf" : "/out")
    if form == "gguf" {
      try GGUFExporter(opened, type: .f32, adapter: adapter).write(to: out)
    } else {
      try Merger(
        ModelSource.open(Fixtures.model), adapter: adapter, trained: opened.trainedText(adapter: adapter)
      ).write(to: ModelFolder(out))
    }
    let made = try Pretrained.open(out)
    #expect(made.tokenizer.vocabularySize == Self.rows)
    let text = "one <new321> two <new322>"
    let tokens = try made.tokenizer.encode(text, parseSpecial: true)
    #expect(try tokens == opened.tokenizer.encode(text, parseSpecial: true))
    #expect(tokens.contains(321) && tokens.contains(322))
    let model = try made.load(.init(compute: .float32))
    #expect(model.architecture.vocabularySize == Self.rows)
    let expected = logits(try opened.load(.init(compute: .float32, adapter: adapter)), tokens)
    assertClose(logits(model, tokens), expected, Tolerance(relative: 1e-3, absolute: 1e-3))
  }

  /// A low-rank pair's GGUF file has no place for them.
  @Test func anAdaptersFileIsRefused() throws {
    let folder = try TemporaryFolder()
    try writeAdapter(to: folder.path + "/adapter")
    let error = #expect(throws: FireflyError.self) {
      try GGUFAdapter(folder.path + "/adapter", base: ModelSource.open(Fixtures.model), type: .f16)
    }
    #expect(error?.fix == "Export the model with the adapter merged into it.")
  }
}
