import FireflyBase
import FireflyConversion
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

/// What a GGUF file keeps of a tokenizer.
@Suite struct GGUFTokenizerExportTests {
  private static let texts = [
    "How many apples does Tom have?", "几个苹果？ 12345", "<|im_start|>user\nhi<|im_end|>\n", "  a\n\n\tb's DON'T",
  ]

  @Test func theTokenizerComesBack() throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf")
      let (original, back) = (try Pretrained.open(Fixtures.model), try Pretrained.open(folder + "/a.gguf"))
      for text in Self.texts {
        for special in [true, false] {
          let ids = try original.tokenizer.encode(text, parseSpecial: special)
          #expect(try back.tokenizer.encode(text, parseSpecial: special) == ids)
          #expect(
            back.tokenizer.decode(ids, skipSpecial: true) == original.tokenizer.decode(ids, skipSpecial: true)
          )
        }
      }
      #expect(back.tokenizer.chatTemplate == original.tokenizer.chatTemplate)
      #expect(back.tokenizer.eos == original.tokenizer.eos && back.tokenizer.bos == original.tokenizer.bos)
      #expect(back.tokenizer.addsBOS == original.tokenizer.addsBOS)
    }
  }

  /// Folder → GGUF → 4-bit folder: config.json, tokenizer.json and codes as from the folder itself.
  @Test func aFolderMadeOfAGGUFFileIsThatOfTheModel() throws {
    try inTemporaryFolder { folder in
      try export(Fixtures.model, to: folder + "/a.gguf")
      for (model, out) in [(folder + "/a.gguf", "/fromFile"), (Fixtures.model, "/fromFolder")] {
        try Quantizer(ModelSource.open(model)).write(to: ModelFolder(folder + out))
      }
      let (file, model) = (
        try Pretrained.open(folder + "/fromFile"), try Pretrained.open(folder + "/fromFolder")
      )
      #expect(try values(file.source.weights) == values(model.source.weights))
      for text in Self.texts {
        #expect(
          try file.tokenizer.encode(text, parseSpecial: true)
            == model.tokenizer.encode(text, parseSpecial: true))
      }
      #expect(file.tokenizer.chatTemplate == model.tokenizer.chatTemplate)
      #expect(try file.defaults().options.stopIDs == model.defaults().options.stopIDs)
      #expect(file.source.config["quantization_config"] == model.source.config["quantization_config"])
    }
  }

  @Test func wordsThatLlamaCppCutsOtherwiseAreRefused() throws {
    try inTemporaryFolder { folder in
      let model = try variant("tokenizer.json", folder) { members in
        members["pre_tokenizer"] = .object([
          "type": .string("Sequence"),
          "pretokenizers": .array([
            .object(["type": .string("Digits"), "individual_digits": .bool(false)]),
            .object(["type": .string("ByteLevel"), "add_prefix_space": .bool(true), "use_regex": .bool(true)]
            ),
          ]),
        ])
      }
      let refused = thrownError { try export(model, to: folder + "/a.gguf") }
      #expect(refused?.what.contains("otherwise than this tokenizer") == true)
      #expect(refused?.place?.hasSuffix("tokenizer.json") == true)
      #expect(try names(in: folder) == ["variant"])
    }
  }

  @Test func rowsWithoutATokenGetNames() throws {
    try inTemporaryFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Fixtures.model, toPath: model)
      let original = try ModelSource.open(Fixtures.model)
      let tensors = try original.weights.tensorNames.map { name in
        let shape = try original.weights.shape(of: name)
        let isTable = shape[0] == 320
        return (
          name: name,
          tensor: isTable
            ? Tensor.zeros([330, 32], .float32)
            : try original.weights.tensor(name, shape: shape, as: .float32)
        )
      }
      unlink(model + "/model.safetensors")
      try SafeTensorsWriter.write(tensors, to: model + "/model.safetensors")
      var config = try #require(original.config.object)
      config["vocab_size"] = .int(330)
      try AtomicFile.write(Data(JSONValue.object(config).text().utf8), to: model + "/config.json")
      try export(model, to: folder + "/a.gguf")
      let metadata = try GGUFFile(folder + "/a.gguf").metadata
      #expect(metadata["tokenizer.ggml.tokens"]?.strings?.last == "[PAD329]")
      #expect(metadata["tokenizer.ggml.token_type"]?.ints?.suffix(10) == Array(repeating: 5, count: 10)[...])
      #expect(try Pretrained.open(folder + "/a.gguf").source.config["vocab_size"]?.int == 330)
    }
  }
}
