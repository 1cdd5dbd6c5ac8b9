import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Folders as users bring them: in 4 bits, with tensors too many or too few.
@Suite struct LoadingTests {
  /// A fixture's folder written again with its tensors as `change` leaves them; removed afterwards.
  private func withCopy(
    of fixture: ModelFixture, _ change: (inout [String: Tensor]) throws -> Void,
    _ body: (ModelSource) throws -> Void
  ) throws {
    try inTemporaryFolder { folder in
      let store = try WeightStore.open(fixture.folder + "/model.safetensors")
      var tensors: [String: Tensor] = [:]
      for name in store.names {
        let shape = try #require(store.info(name)).shape
        tensors[name] = try store.tensor(name, shape: shape, as: .float32)
      }
      try change(&tensors)
      try SafeTensorsWriter.write(
        tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, to: folder + "/model.safetensors")
      try FileManager.default.copyItem(
        atPath: fixture.folder + "/config.json", toPath: folder + "/config.json")
      try body(ModelSource.open(folder))
    }
  }

  /// Linear layers stored in 4 bits, fused and interleaved ones too, are those quantised at load. Experts that lie in one
  /// tensor cannot be stored so, and are quantised beside the others.
  @Test(arguments: ModelFixture.families) func storedIn4Bits(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let architecture = try Architecture(
      config: JSONValue.read(fixture.folder + "/config.json"), source: name)
    let leaves = architecture.allLinears.filter { !$0.staysWhole }.map { "." + $0.name + ".weight" }
    try withCopy(of: fixture) { tensors in
      for (name, weight) in tensors where leaves.contains(where: name.hasSuffix) {
        tensors[name] = nil
        for part in BitsAndBytes.tensors(name, .quantize(weight, double: true)) {
          tensors[part.name] = part.tensor
        }
      }
    } _: { source in
      let isWhole = architecture.family != "gpt_oss"
      let model = try Transformer.load(
        source, compute: .float32, quantization: isWhole ? .none : .nf4(double: true))
      try model.loadAdapter(fixture.folder + "/adapter_lora")
      let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
      assertClose(logits, try fixture.tensor("nf4.logits"), Tolerance(absolute: 1e-4))
      #expect(model.notes.isEmpty)
    }
  }

  /// gpt-oss with its experts in MXFP4 is the model of the same numbers, decoded, in blocks, and in NF4.
  @Test(arguments: [Quantization.none, .stored, .nf4(double: true)])
  func expertsInMXFP4(_ quantization: Quantization) throws {
    let fixture = try ModelFixture("families/gpt_oss")
    func logits(packed: Bool, _ quantization: Quantization) throws -> [Float] {
      var found: [Float] = []
      try withCopy(of: fixture) { tensors in
        for (name, weight) in tensors where name.hasSuffix("_proj") {
          let (blocks, scales, decoded) = MXFP4Experts.packed(weight)
          tensors[name] = packed ? nil : decoded
          guard packed else { continue }
          tensors[name + "_blocks"] = blocks
          tensors[name + "_scales"] = scales
        }
      } _: { source in
        let model = try Transformer.load(source, compute: .float32, quantization: quantization)
        #expect(model.notes.isEmpty)
        found = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
      }
      return found
    }
    let expected = try logits(packed: false, quantization == .stored ? .none : quantization)
    assertClose(try logits(packed: true, quantization), expected, Tolerance(absolute: 1e-4))
  }

  @Test func tensorsLeftOverAreTold() throws {
    let fixture = try ModelFixture("families/yi")
    try withCopy(of: fixture) { tensors in
      tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor([1, 1], [2])
      tensors["model.layers.2.self_attn.q_proj.weight"] = Tensor([1, 1], [2])
    } _: { source in
      let model = try Transformer.load(source, compute: .float32, quantization: .none)
      #expect(
        model.notes == [
          "tensors in the files that the model does not use: 1 (model.layers.2.self_attn.q_proj.weight)"
        ])
    }
  }

  @Test(arguments: [
    ("families/bloom", "h.1.self_attention.dense.bias"), ("families/bloom", "ln_f.bias"),
    ("families/qwen2", "model.layers.0.self_attn.k_proj.bias"),
    ("families/chatglm2", "transformer.output_layer.weight"),
  ])
  func aMissingTensorIsNamed(_ name: String, _ missing: String) throws {
    let fixture = try ModelFixture(name)
    try withCopy(of: fixture) { tensors in
      tensors[missing] = nil
    } _: { source in
      let error = #expect(throws: FireflyError.self) { try Architecture.read(source) }
      #expect(error?.description.contains(missing) == true)
      #expect(throws: FireflyError.self) {
        try Transformer.load(source, compute: .float32, quantization: .none)
      }
    }
  }
}
