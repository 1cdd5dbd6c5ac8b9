import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

@Suite struct QuantizerTests {
  private func quantize(_ model: String, to out: String, double: Bool = true, shardLimit: Int = 1 << 40)
    throws
  {
    try Quantizer(ModelSource.open(model), double: double, shardLimit: shardLimit)
      .write(to: ModelFolder(out))
  }

  /// Block matrices are what bitsandbytes makes of them; all else is rounded to 16 bits.
  @Test(arguments: [true, false]) func theFolderHoldsTheModelInNF4(double: Bool) throws {
    try inTemporaryFolder { folder in
      try quantize(Fixtures.model, to: folder + "/out", double: double)
      let original = try ModelSource.open(Fixtures.model).weights
      let source = try ModelSource.open(folder + "/out")
      #expect(source.weights.tensorNames == original.tensorNames)
      var matrices = 0
      for name in original.tensorNames {
        let shape = try original.shape(of: name)
        let half = try original.tensor(name, shape: shape, as: .bfloat16)
        if let packed = try source.weights.nf4(name, shape: shape) {
          let expected = NF4Tensor.quantize(half, double: double)
          for ((part, a), (_, b)) in zip(
            BitsAndBytes.tensors(name, packed), BitsAndBytes.tensors(name, expected))
          {
            #expect(bytes(a) == bytes(b), "\(part)")
          }
          matrices += 1
        } else {
          #expect(source.weights.info(name)?.type == .bfloat16, "\(name)")
          #expect(
            try bytes(source.weights.tensor(name, shape: shape, as: .bfloat16)) == bytes(half), "\(name)")
        }
      }
      #expect(matrices == 2 * 7)
      let config = source.config
      #expect(
        config["quantization_config"] == BitsAndBytes.quantizationConfig(double: double, compute: .bfloat16))
      #expect(config["dtype"]?.string == "bfloat16")
      #expect(config["hidden_size"]?.int == 32)
    }
  }

  @Test func familiesAreAtHand() { #expect(Fixtures.families.contains("families/qwen2")) }

  @Test func expertsInOneTensorAreRefused() throws {
    let source = try ModelSource.open(Fixtures.models("families/gpt_oss"))
    let error = #expect(throws: FireflyError.self) { try Quantizer(source) }
    #expect(error?.place?.hasSuffix("model.layers.0.mlp.experts.down_proj") == true)
  }

  @Test(arguments: Fixtures.families.filter { $0 != "families/gpt_oss" })
  func everyLinearLayerButRoutersIsQuantised(_ family: String) throws {
    try inTemporaryFolder { folder in
      try quantize(Fixtures.models(family), to: folder + "/out")
      let source = try ModelSource.open(folder + "/out")
      let architecture = try Architecture(config: source.config, source: source.path)
      let packed = source.weights.tensorNames.count { source.weights.isNF4($0) }
      let routers = architecture.allLinears.count(where: \.staysWhole)
      #expect(packed == architecture.allLinears.count - routers)
      let skipped = source.config["quantization_config"]?["llm_int8_skip_modules"]?.array
      #expect(skipped?.count == (routers == 0 ? nil : routers + 1))
      #expect(try logits(folder + "/out").allSatisfy(\.isFinite))
    }
  }

  @Test func theOtherFilesAreCopied() throws {
    try inTemporaryFolder { folder in
      try quantize(Fixtures.model, to: folder + "/out/")
      #expect(try names(in: folder) == ["out"])
      #expect(try names(in: folder + "/out") == names(in: Fixtures.model))
      for name in [
        "tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja",
      ] {
        let copy = FileManager.default.contents(atPath: "\(folder)/out/\(name)")
        #expect(copy == FileManager.default.contents(atPath: "\(Fixtures.model)/\(name)"), "\(name)")
      }
    }
  }

  @Test func partsOfAMatrixStayInOneShard() throws {
    try inTemporaryFolder { folder in
      try quantize(Fixtures.model, to: folder + "/whole")
      try quantize(Fixtures.model, to: folder + "/out", shardLimit: 9000)
      let out = folder + "/out"
      let index = try JSONValue.read(out + "/model.safetensors.index.json")
      let map = try #require(index["weight_map"]?.object).compactMapValues(\.string)
      let files = Set(map.values)
      #expect(files.count > 3)
      #expect(files.contains("model-00001-of-0000\(files.count).safetensors"))
      for (name, file) in map {
        guard let end = name.range(of: ".weight.") else { continue }
        #expect(map[name[..<end.lowerBound] + ".weight"] == file, "\(name)")
      }
      let (sharded, whole) = (
        try ModelSource.open(out).weights, try ModelSource.open(folder + "/whole").weights
      )
      #expect(try values(sharded) == values(whole))
      let sizes = try files.map { try #require(FileManager.default.contents(atPath: "\(out)/\($0)")).count }
      #expect(index["metadata"]?["total_size"]?.int ?? 0 < sizes.reduce(0, +))
    }
  }

  // MARK: - From GGUF

  /// A GGUF file gets config.json and a tokenizer.json that encodes as the file's own vocabulary.
  @Test func aVocabularyThatIsNotByteLevelIsRefused() throws {
    try inTemporaryFolder { folder in
      let gguf = Fixtures.tests + "WeightsTests/Fixtures/llama.gguf"
      let refused = thrownError { try quantize(gguf, to: folder + "/out") }
      #expect(refused?.place?.contains("tokenizer.ggml.model") == true && refused?.found == "llama")
      let left = try names(in: folder)
      #expect(left.isEmpty)
    }
  }

  // MARK: - What is refused

  @Test func whatIsInFourBitsAlreadyIsRefused() throws {
    try inTemporaryFolder { folder in
      let refused = thrownError { try quantize(Fixtures.models("gqa_nf4"), to: folder + "/out") }
      #expect(refused?.place?.contains("quantization_config") == true)
    }
  }

  @Test func aFolderThatIsThereIsReplacedOnlyWhenToldSo() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data("mine".utf8), to: folder + "/mine")
      #expect(thrownError { _ = try ModelFolder(folder) }?.place == folder)
      #expect(thrownError { _ = try ModelFolder(folder, overwrite: true) }?.place == folder)
      try AtomicFile.write(Data("{}".utf8), to: folder + "/config.json")
      #expect(thrownError { _ = try ModelFolder(folder) }?.place == folder)
      let input = folder + "/model/a.gguf"
      #expect(thrownError { _ = try ModelFolder(folder, overwrite: true, inputs: [input]) }?.found == input)
      try Quantizer(ModelSource.open(Fixtures.model)).write(to: ModelFolder(folder, overwrite: true))
      #expect(try !names(in: folder).contains("mine"))
      #expect(try ModelSource.open(folder).isQuantized)
    }
  }

  /// Numbers that cannot be quantised, in the last tensor: nothing is left of what was written before.
  @Test func aFailureLeavesNothing() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.makeFolder(folder + "/bad")
      let original = try ModelSource.open(Fixtures.model)
      var tensors = try original.weights.tensorNames.map { name in
        (
          name: name,
          tensor: try original.weights.tensor(
            name, shape: original.weights.shape(of: name), as: .float32)
        )
      }
      let index = try #require(tensors.firstIndex { $0.name == "model.layers.1.self_attn.v_proj.weight" })
      let shape = tensors[index].tensor.shape
      tensors[index].tensor = Tensor([Float](repeating: .infinity, count: shape.reduce(1, *)), shape)
      try AtomicFile.write(Data(original.config.text().utf8), to: folder + "/bad/config.json")
      try SafeTensorsWriter.write(tensors, to: folder + "/bad/model.safetensors")
      let refused = thrownError { try quantize(folder + "/bad", to: folder + "/out") }
      #expect(refused?.place?.contains("layers.1.self_attn.v_proj") == true)
      #expect(try names(in: folder) == ["bad"])
    }
  }

  @Test func anInterruptionLeavesNothing() throws {
    try inTemporaryFolder { folder in
      var shares: [Double] = []
      let quantizer = try Quantizer(ModelSource.open(Fixtures.model))
      let refused = thrownError {
        try quantizer.write(to: ModelFolder(folder + "/out")) { share in
          shares.append(share)
          if share > 0.5 { throw FireflyError("interrupted") }
        }
      }
      let left = try names(in: folder)
      #expect(refused?.what == "interrupted" && left.isEmpty)
      #expect(shares.count > 1 && shares == shares.sorted(), "\(shares)")
    }
  }

  @Test func aPlaceThatCannotBeWrittenIsAnError() throws {
    let refused = thrownError { try quantize(Fixtures.model, to: "/dev/null/out") }
    #expect(refused?.description.contains("/dev/null/out") == true)
  }
}
