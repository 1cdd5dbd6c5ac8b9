import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@testable import FireflyConversion

/// Whatever is done with a model, its files are read alike: folders whose tensors contradict config.json, are too many or too
/// few.
@Suite struct OddFolderTests {
  /// What one verb makes of a folder.
  private enum Reading: Equatable {
    /// Why it refuses.
    case refused(String)
    /// What it tells, and whether its model answers as the folder itself with the adapter.
    case read(notes: [String], answers: Bool)
  }

  private static let odd:
    [(name: String, change: @Sendable (inout [String: JSONValue], inout [String: Tensor]) -> Void)] = [
      ("as it is", { _, _ in }),
      ("a head beside a tied one", { config, _ in config["tie_word_embeddings"] = .bool(true) }),
      (
        "the embedding again as a head",
        { config, tensors in
          config["tie_word_embeddings"] = .bool(true)
          tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
        }
      ),
      (
        "a layer too many",
        { _, tensors in
          tensors["model.layers.2.self_attn.q_proj.weight"] = Tensor.zeros([32, 32], .float32)
        }
      ),
      (
        "old angles",
        { _, tensors in
          tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor.zeros([4], .float32)
        }
      ),
      ("a tensor too few", { _, tensors in tensors["model.layers.1.mlp.up_proj.weight"] = nil }),
      ("no head", { _, tensors in tensors["lm_head.weight"] = nil }),
      ("a larger vocabulary in config.json", { config, _ in config["vocab_size"] = .int(321) }),
      ("a smaller vocabulary in config.json", { config, _ in config["vocab_size"] = .int(300) }),
      ("another width of the MLP", { config, _ in config["intermediate_size"] = .int(48) }),
      ("biases in config.json", { config, _ in config["attention_bias"] = .bool(true) }),
      (
        "theta twice",
        { config, _ in
          config["rope_theta"] = .double(300)
          config["rope_parameters"] = .object([
            "rope_type": .string("default"), "rope_theta": .double(500_000),
          ])
        }
      ),
      (
        "scaling twice",
        { config, _ in
          config["rope_scaling"] = .object(["rope_type": .string("linear"), "factor": .double(2)])
        }
      ),
      ("an unknown key", { config, _ in config["new_key"] = .int(3) }),
      ("an unknown activation", { config, _ in config["hidden_act"] = .string("relu") }),
    ]

  @Test(arguments: odd.map(\.name))
  func everyVerbReadsTheSame(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = folder.path + "/model"
    try write(try #require(Self.odd.first { $0.name == name }).change, to: model)
    let expected = Result { try logits(model, adapter: Fixtures.adapter) }
    let base = Result { try logits(model, quantization: .nf4(double: true)) }
    let source = try ModelSource.open(model)

    let generated = reading {
      let loaded = try Transformer.load(source, compute: .float32, quantization: .none)
      return (loaded.notes, true)
    }
    let trained = reading {
      let loaded = try Transformer.load(source, compute: .float32, training: FullOptions())
      return (loaded.notes, true)
    }
    let merged = reading {
      let merger = try Merger(source, adapter: Fixtures.adapter, compute: .float32)
      try merger.write(to: ModelFolder(folder.path + "/merged"))
      return (merger.notes, try isClose(logits(folder.path + "/merged"), expected.get()))
    }
    let quantized = reading {
      let quantizer = try Quantizer(source)
      try quantizer.write(to: ModelFolder(folder.path + "/nf4"))
      // Decoded weights are bfloat16 there, and float32 in memory.
      return (quantizer.notes, try isClose(logits(folder.path + "/nf4"), base.get(), 0.02))
    }
    let exported = reading {
      let exporter = try GGUFExporter(
        Pretrained.open(model), type: .f32, adapter: Fixtures.adapter, compute: .float32)
      try exporter.write(to: folder.path + "/model.gguf")
      return (exporter.notes, try isClose(logits(folder.path + "/model.gguf"), expected.get()))
    }
    #expect(trained == generated)
    #expect(merged == generated)
    #expect(quantized == generated)
    #expect(exported == generated)
  }

  /// On a head of its own it is merged and exported as any other; on a tied one that is refused.
  @Test func anAdapterOnTheHead() throws {
    let folder = try TemporaryFolder()
    let adapters = Fixtures.models("adapters")
    let config = (try JSONValue.read(adapters + "/cases.json")["config"]?.object ?? [:]).merging([
      "target_modules": .array([.string("q_proj"), .string("lm_head")])
    ]) { $1 }
    try folder.write(JSONValue.object(config).text(), to: "head/adapter_config.json")
    let head = folder.path + "/head"
    try FileManager.default.copyItem(
      atPath: adapters + "/head.safetensors", toPath: head + "/adapter_model.safetensors")
    let model = Fixtures.models("gqa")
    try Merger(ModelSource.open(model), adapter: head, compute: .float32)
      .write(to: ModelFolder(folder.path + "/merged"))
    #expect(try isClose(logits(folder.path + "/merged"), logits(model, adapter: head)))
    #expect(try !isClose(logits(folder.path + "/merged"), logits(model)))
    let source = try ModelSource.open(model)
    try GGUFAdapter(head, base: source, type: .f32).write(to: folder.path + "/head.gguf")
    let written = try GGUFFile(folder.path + "/head.gguf")
    #expect(written.tensors.contains { $0.name == "output.weight.lora_b" && $0.shape == [211, 4] })

    try AtomicFile.makeFolder(folder.path + "/tied")
    let tied = folder.path + "/tied"
    try AtomicFile.write(
      .object(
        (JSONValue.read(model + "/config.json").object ?? [:]).merging(["tie_word_embeddings": .bool(true)]) {
          $1
        }),
      to: tied + "/config.json")
    let tensors = try source.weights.tensorNames.filter { $0 != "lm_head.weight" }.map { name in
      (name, try source.weights.tensor(name, shape: source.weights.shape(of: name), as: .float32))
    }
    try SafeTensorsWriter.write(tensors, to: tied + "/model.safetensors")
    #expect(try logits(tied, adapter: head) != logits(tied))
    let error = #expect(throws: FireflyError.self) { try Merger(ModelSource.open(tied), adapter: head) }
    #expect(error?.place?.hasSuffix("lm_head") == true)
  }

  private func reading(_ body: () throws -> (notes: [String], answers: Bool)) -> Reading {
    do {
      let (notes, answers) = try body()
      return .read(notes: notes, answers: answers)
    } catch {
      return .refused("\(error)")
    }
  }

  /// Whether the mean difference is within a share of the mean size.
  private func isClose(_ first: [Float], _ second: [Float], _ tolerance: Float = 1e-4) -> Bool {
    let difference = zip(first, second).reduce(0) { $0 + abs($1.0 - $1.1) }
    return first.count == second.count && difference <= tolerance * second.reduce(0) { $0 + abs($1) }
  }

  /// The tiny model with numbers that bfloat16 holds, and a change.
  private func write(
    _ change: (inout [String: JSONValue], inout [String: Tensor]) -> Void, to folder: String
  ) throws {
    try AtomicFile.makeFolder(folder)
    for name in try names(in: Fixtures.model) where name != "config.json" && name != "model.safetensors" {
      try FileManager.default.copyItem(atPath: Fixtures.model + "/" + name, toPath: folder + "/" + name)
    }
    var config = try JSONValue.read(Fixtures.model + "/config.json").object ?? [:]
    let source = try ModelSource.open(Fixtures.model).weights
    var tensors = try Dictionary(
      uniqueKeysWithValues: source.tensorNames.map { name in
        (name, try source.tensor(name, shape: source.shape(of: name), as: .bfloat16).converted(to: .float32))
      })
    change(&config, &tensors)
    try AtomicFile.write(.object(config), to: folder + "/config.json")
    try SafeTensorsWriter.write(tensors.map { ($0.key, $0.value) }, to: folder + "/model.safetensors")
  }
}
