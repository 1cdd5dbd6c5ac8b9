import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Adapters as GGUF files, where llama.cpp keeps matrices otherwise than PEFT.
@Suite struct GGUFAdapterTests {
  private let mixtral = Fixtures.models("families/mixtral")

  private func floats(_ file: GGUFFile, _ name: String) throws -> (shape: [Int], values: [Float]) {
    let info = try #require(file.tensors.first { $0.name == name }, "\(name)")
    return (info.shape, file.bytes(of: info).withHostBytes { Array($0.bindMemory(to: Float.self)) })
  }

  /// The pairs of a layer's experts are one tensor each for A and B.
  @Test func expertsLieInOneTensor() throws {
    let (folder, adapter) = (try TemporaryFolder(), mixtral + "/adapter_lora")
    let source = try ModelSource.open(mixtral)
    try GGUFAdapter(adapter, base: source, type: .f32).write(to: folder.path + "/lora.gguf")
    let (written, file) = (try GGUFFile(folder.path + "/lora.gguf"), try AdapterFile(adapter))
    let count = try #require(source.config["num_local_experts"]?.int)
    for (name, part) in [("gate", "w1"), ("up", "w3"), ("down", "w2")] {
      let pairs = try (0..<count).map { expert in
        let module = "model.layers.1.block_sparse_moe.experts.\(expert).\(part)"
        let shape = try source.weights.shape(of: module + ".weight")
        return try file.pair(module, inputs: shape[1], outputs: shape[0])
      }
      let (a, b) = (
        try floats(written, "blk.1.ffn_\(name)_exps.weight.lora_a"),
        try floats(written, "blk.1.ffn_\(name)_exps.weight.lora_b")
      )
      #expect(a.shape == [count] + pairs[0].a.shape && b.shape == [count] + pairs[0].b.shape)
      #expect(a.values == pairs.flatMap(\.a.floats) && b.values == pairs.flatMap(\.b.floats))
    }
  }

  /// An expert without a pair has one of zeros; one of another rank has no place.
  @Test func expertsOfAnotherRankAreRefused() throws {
    func adapter(_ ranks: [Int: Int], in folder: String) throws {
      let modules = ranks.map { (name: "model.layers.0.block_sparse_moe.experts.\($0).w2", rank: $1) }
      let patterns = modules.map { ($0.name, JSONValue.int($0.rank)) }
      let config: [String: JSONValue] = [
        "peft_type": .string("LORA"), "r": .int(2), "lora_alpha": .int(2),
        "target_modules": .array(modules.map { .string($0.name) }),
        "rank_pattern": .object(Dictionary(uniqueKeysWithValues: patterns)),
      ]
      try AtomicFile.write(.object(config), to: folder + "/adapter_config.json")
      let shape = try ModelSource.open(mixtral).weights.shape(of: modules[0].name + ".weight")
      try SafeTensorsWriter.write(
        modules.flatMap { module in
          let name = "base_model.model.\(module.name)"
          return [
            (
              name: "\(name).lora_A.weight",
              tensor: Tensor.random([module.rank, shape[1]], .float32, seed: 1)
            ),
            (
              name: "\(name).lora_B.weight",
              tensor: Tensor.random([shape[0], module.rank], .float32, seed: 2)
            ),
          ]
        }, to: folder + "/adapter_model.safetensors")
    }
    let (folder, source) = (try TemporaryFolder(), try ModelSource.open(mixtral))
    let path = folder.path + "/lora.gguf"
    try adapter([1: 2], in: folder.path)
    try GGUFAdapter(folder.path, base: source, type: .f32).write(to: path)
    let a = try floats(GGUFFile(path), "blk.0.ffn_down_exps.weight.lora_a")
    let size = a.shape[1] * a.shape[2]
    #expect(a.values[..<size].allSatisfy { $0 == 0 } && a.values[size..<2 * size].contains { $0 != 0 })
    try adapter([0: 2, 1: 3], in: folder.path)
    let refused = thrownError {
      try GGUFAdapter(folder.path, base: source, type: .f32).write(to: path, overwrite: true)
    }
    #expect(refused?.what == "an adapter's GGUF file has one rank for all experts of a layer")
    #expect(refused?.place?.hasSuffix("experts.1.w2") == true && refused?.found == "3")
  }

  /// llama.cpp would load an adapter on latent attention and answer without it.
  @Test func whatLlamaCppDoesNotUseIsRefused() throws {
    try inTemporaryFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Fixtures.models("families/deepseek_v2_lite"), toPath: model)
      var config = try JSONValue.read(model + "/config.json").object ?? [:]
      var scaling = config["rope_scaling"]?.object ?? [:]
      scaling["mscale"] = scaling["mscale_all_dim"]
      config["rms_norm_eps"] = .double(1e-6)
      config["rope_scaling"] = .object(scaling)
      try AtomicFile.write(.object(config), to: model + "/config.json")
      let refused = thrownError {
        try GGUFAdapter(model + "/adapter_lora", base: ModelSource.open(model), type: .f32)
          .write(to: folder + "/lora.gguf")
      }
      #expect(refused?.what == "llama.cpp uses no adapter on this matrix of deepseek2")
      #expect(refused?.fix == "Export the model with the adapter merged into it.")
    }
  }
}
