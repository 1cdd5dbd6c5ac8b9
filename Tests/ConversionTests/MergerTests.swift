import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@Suite struct MergerTests {
  /// float32 products in another order: W·x + s·B·(A·x) and (W + s·B·A)·x.
  private static let tolerance = Tolerance(relative: 1e-4, absolute: 1e-4)

  private func merge(
    _ model: String, _ adapter: String, to out: String, onto base: MergeBase = .original
  ) throws {
    try Merger(ModelSource.open(model), adapter: adapter, onto: base, compute: .float32)
      .write(to: ModelFolder(out))
  }

  @Test(arguments: [
    ("gqa", "lora"), ("gqa", "rslora"), ("biased_tied", "lora"), ("gqa_nf4", "lora"), ("rope_llama3", "lora"),
  ])
  func theMergedModelAnswersAsBaseAndAdapter(_ name: String, _ variant: String) throws {
    try inTemporaryFolder { folder in
      let (model, adapter) = (Fixtures.models(name), Fixtures.models("\(name)/adapter_\(variant)"))
      try merge(model, adapter, to: folder + "/out")
      let expected = try logits(model, adapter: adapter)
      assertClose(try logits(folder + "/out"), expected, Self.tolerance, "logits")
      #expect(try logits(model) != expected, "the adapter changes something")
      #expect(try !ModelSource.open(folder + "/out").isQuantized)
    }
  }

  @Test(arguments: [true, false]) func ontoNF4GivesWhatTheAdapterWasTrainedOn(double: Bool) throws {
    try inTemporaryFolder { folder in
      let (model, adapter) = (Fixtures.models("gqa"), Fixtures.models("gqa/adapter_lora"))
      try merge(model, adapter, to: folder + "/out", onto: .nf4(double: double))
      let expected = try logits(model, quantization: .nf4(double: double), adapter: adapter)
      assertClose(try logits(folder + "/out"), expected, Self.tolerance, "logits")
    }
  }

  /// Embedding and head that an adapter brings take the base's places.
  @Test func wholeModulesAreMerged() throws {
    try inTemporaryFolder { folder in
      let (model, adapter) = (
        folder + "/float32", Fixtures.models("families/mistral/adapter_saved")
      )
      try writeFloat32(Fixtures.models("families/mistral"), to: model)
      try merge(model, adapter, to: folder + "/out")
      assertClose(
        try logits(folder + "/out"), try logits(model, adapter: adapter), Self.tolerance, "logits")
      let file = try AdapterFile(adapter)
      let merged = try ModelSource.open(folder + "/out").weights
      for name in ["model.embed_tokens", "lm_head"] {
        let shape = try merged.shape(of: name + ".weight")
        #expect(
          try merged.tensor(name + ".weight", shape: shape, as: .float32).floats
            == file.savedWeight(name, shape: shape).floats)
      }
      let error = #expect(throws: FireflyError.self) {
        try GGUFAdapter(adapter, base: ModelSource.open(model), type: .f16)
      }
      #expect(error?.what == "an adapter's GGUF file cannot hold whole modules")
    }
  }

  /// Fused projections, names without the base's, other norms: the files' tensors are merged whatever the family.
  @Test(arguments: Fixtures.families, [MergeBase.original, .nf4(double: true)])
  func everyFamilyMerges(_ family: String, onto base: MergeBase) throws {
    try inTemporaryFolder { folder in
      let adapter = Fixtures.models(family + "/adapter_lora")
      let model = folder + "/float32"  // a merge into the fixture's bfloat16 would be rounded
      try writeFloat32(Fixtures.models(family), to: model)
      try merge(model, adapter, to: folder + "/out", onto: base)
      let quantization: Quantization = base == .original ? .none : .nf4(double: true)
      let expected = try logits(model, quantization: quantization, adapter: adapter)
      assertClose(try logits(folder + "/out"), expected, Self.tolerance, "logits")
    }
  }

  /// A head for many tokens is merged some rows at a time, and an embedding copied so.
  @Test func largeTablesAreMergedInStrips() throws {
    try inTemporaryFolder { folder in
      let (model, adapter) = (folder + "/model", folder + "/adapter")
      let (embedding, head) = ("model.embed_tokens.weight", "lm_head.weight")
      let rows = Strips.elements / 64 + 100
      try writeFloat32(Fixtures.models("gqa"), to: model)
      let original = try ModelSource.open(model)
      let others = try original.weights.tensorNames.filter { ![embedding, head].contains($0) }.map { name in
        let shape = try original.weights.shape(of: name)
        return (name: name, tensor: try original.weights.tensor(name, shape: shape, as: .float32))
      }
      let tables = [embedding, head].map { name in
        (name: name, tensor: Tensor.random([rows, 64], .float32, seed: UInt64(name.count)))
      }
      try SafeTensorsWriter.write(others + tables, to: model + "/model.safetensors")
      let config = (original.config.object ?? [:]).merging(["vocab_size": .int(rows)]) { $1 }
      try AtomicFile.write(.object(config), to: model + "/config.json")
      try writePair(on: "lm_head", inputs: 64, outputs: rows, to: adapter)

      try merge(model, adapter, to: folder + "/out")
      let expected = try logits(model, adapter: adapter)
      assertClose(try logits(folder + "/out"), expected, Self.tolerance, "logits")
      #expect(try logits(model) != expected, "the adapter changes something")
      let merged = try ModelSource.open(folder + "/out").weights
      #expect(try merged.strips(of: head).count == 2)
      let copied = try merged.tensor(embedding, shape: [rows, 64], as: .float32)
      #expect(copied.floats == tables[0].tensor.floats)
    }
  }

  private func writePair(on module: String, inputs: Int, outputs: Int, to folder: String) throws {
    try AtomicFile.makeFolder(folder)
    let config: [String: JSONValue] = [
      "peft_type": .string("LORA"), "r": .int(4), "lora_alpha": .int(8),
      "target_modules": .array([.string(module)]),
    ]
    try AtomicFile.write(.object(config), to: folder + "/adapter_config.json")
    let name = "base_model.model.\(module)"
    try SafeTensorsWriter.write(
      [
        (name: "\(name).lora_A.weight", tensor: Tensor.random([4, inputs], .float32, seed: 1)),
        (name: "\(name).lora_B.weight", tensor: Tensor.random([outputs, 4], .float32, seed: 2)),
      ], to: folder + "/adapter_model.safetensors")
  }

  /// A base with other tables than its files gives a model whose files have these.
  @Test(arguments: [
    ("own_both", "own", 27), ("own_embedding", "own", 27), ("own_shrunk", "own", 21),
    ("own_tokens", "own", 27),
    ("tied_both", "tied", 27), ("tied_head", "tied", 24), ("tied_together", "tied", 27),
    ("tied_tokens", "tied", 24),
  ])
  func otherTablesThanTheBasesAreMerged(_ name: String, _ base: String, _ rows: Int) throws {
    try inTemporaryFolder { folder in
      let (model, adapter) = (Fixtures.models("tables/base_\(base)"), Fixtures.models("tables/\(name)"))
      try merge(model, adapter, to: folder + "/out")
      let file = try AdapterFile(adapter)
      let adapted = try Transformer.load(
        ModelSource.open(model).adapted(to: file), compute: .float32, quantization: .none)
      try adapted.loadAdapter(file, onOwnBase: true)
      let tokens: [Int32] = [1, 3, 20, Int32(rows - 1), 7]
      let merged = try Transformer.load(
        ModelSource.open(folder + "/out"), compute: .float32, quantization: .none)
      assertClose(
        merged.logits(tokens: tokens, starts: [0, 5]).floats,
        adapted.logits(tokens: tokens, starts: [0, 5]).floats, Self.tolerance, "logits")
      let config = try JSONValue.read(folder + "/out/config.json")
      #expect(config["vocab_size"] == .int(rows))
      #expect(config["tie_word_embeddings"] == .bool(["tied_together", "tied_tokens"].contains(name)))
    }
  }

  @Test func whatTheAdapterDoesNotTouchIsCopied() throws {
    try inTemporaryFolder { folder in
      try merge(Fixtures.model, Fixtures.adapter, to: folder + "/out")
      let original = try values(ModelSource.open(Fixtures.model).weights)
      let merged = try values(ModelSource.open(folder + "/out").weights)
      let changed = original.keys.filter { original[$0] != merged[$0] }
      let expected = (0..<2).flatMap { layer in
        ["mlp.down_proj", "self_attn.q_proj", "self_attn.v_proj"].map { "model.layers.\(layer).\($0).weight" }
      }
      #expect(changed.sorted() == expected)
      #expect(try names(in: folder + "/out") == names(in: Fixtures.model))
    }
  }

  @Test func adaptersOfOlderPEFTAreRead() throws {
    try inTemporaryFolder { folder in
      try merge(Fixtures.model, Fixtures.adapter, to: folder + "/new")
      try merge(Fixtures.model, Fixtures.adapterBin, to: folder + "/old")
      let (new, old) = (try ModelSource.open(folder + "/new"), try ModelSource.open(folder + "/old"))
      #expect(try values(new.weights) == values(old.weights))
    }
  }

  /// Sixteen-bit files stay sixteen-bit: each weight is the float32 sum, rounded once.
  @Test func weightsAreRoundedOnce() throws {
    try inTemporaryFolder { folder in
      let half = folder + "/half"
      try AtomicFile.makeFolder(half)
      let original = try ModelSource.open(Fixtures.model)
      let tensors = try original.weights.tensorNames.map { name in
        (
          name: name,
          tensor: try original.weights.tensor(name, shape: original.weights.shape(of: name), as: .bfloat16)
        )
      }
      try AtomicFile.write(Data(original.config.text().utf8), to: half + "/config.json")
      try SafeTensorsWriter.write(tensors, to: half + "/model.safetensors")
      try merge(half, Fixtures.adapter, to: folder + "/out")
      let name = "model.layers.0.self_attn.q_proj"
      let adapter = try WeightStore.open(Fixtures.adapter + "/adapter_model.safetensors")
      let a = try adapter.tensor("base_model.model.\(name).lora_A.weight", shape: [4, 32], as: .float32)
        .floats
      let b = try adapter.tensor("base_model.model.\(name).lora_B.weight", shape: [32, 4], as: .float32)
        .floats
      let store = try ModelSource.open(half).weights
      let base = try store.tensor(name + ".weight", shape: [32, 32], as: .float32).floats
      var expected = base
      for row in 0..<32 {
        for column in 0..<32 {
          let sum = (0..<4).reduce(0.0) { $0 + Double(b[row * 4 + $1]) * Double(a[$1 * 32 + column]) }
          expected[row * 32 + column] = Float(Double(base[row * 32 + column]) + 4 * sum)  // α/r = 16/4
        }
      }
      let merged = try ModelSource.open(folder + "/out").weights
      #expect(merged.info(name + ".weight")?.type == .bfloat16)
      let found = try merged.tensor(name + ".weight", shape: [32, 32], as: .float32).floats
      // Half a unit in the last of bfloat16's 8 bits, and float32's error of the sum.
      assertClose(found, expected, Tolerance(relative: 0x1p-8 + 1e-5, absolute: 1e-6), "rounded")
    }
  }

  // MARK: - The comparison

  @Test(arguments: [(MergeBase.original, 0), (.nf4(double: true), 1)])
  func theProbeTellsWhichBaseWasMerged(_ base: MergeBase, _ closest: Int) throws {
    try inTemporaryFolder { folder in
      try merge(Fixtures.model, Fixtures.adapter, to: folder + "/out", onto: base)
      let probe = try MergeProbe(
        Pretrained.open(Fixtures.model), adapter: Fixtures.adapter, texts: ["How many apples?", "几个苹果？"],
        compute: .float32)
      let report = try probe.report(merged: folder + "/out")
      #expect(report.rows.map(\.name) == ["original + adapter", "NF4 + adapter"])
      #expect(report.rows[closest].maxDifference < 1e-3)
      #expect(report.rows[1 - closest].meanDifference > 1e-3)
      #expect(abs(report.perplexity - report.rows[closest].perplexity) < 1e-3 * report.perplexity)
      #expect(report.tokens > 10)
    }
  }

  // MARK: - What is refused

  @Test func anAdapterOfAnotherModelIsRefusedByName() throws {
    try inTemporaryFolder { folder in
      let shape = thrownError {
        try merge(Fixtures.models("gqa"), Fixtures.models("biased_tied/adapter_lora"), to: folder + "/out")
      }
      #expect(shape?.place?.contains("lora_") == true && shape?.what.contains("shape") == true)

      let stranger = folder + "/stranger"
      try AtomicFile.makeFolder(stranger)
      try FileManager.default.copyItem(
        atPath: Fixtures.adapter + "/adapter_config.json", toPath: stranger + "/adapter_config.json")
      let prefix = "base_model.model.model.layers.0.self_attn.query_proj"
      try SafeTensorsWriter.write(
        [
          ("\(prefix).lora_A.weight", .zeros([4, 32], .float32)),
          ("\(prefix).lora_B.weight", .zeros([32, 4], .float32)),
        ],
        to: stranger + "/adapter_model.safetensors")
      let name = thrownError { try merge(Fixtures.model, stranger, to: folder + "/out") }
      #expect(name?.place?.contains("query_proj") == true)
      #expect(name?.expected == "model.layers.0.self_attn.q_proj")
      #expect(try names(in: folder) == ["stranger"])
    }
  }
}
