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

  /// A tokenizer of pairs that falls back to bytes, as LLaMA's tokenizer.json without its tokenizer.model: its merges' ranks become
  /// the scores by which llama.cpp joins pieces.
  @Test func pairsThatFallBackToBytesComeBack() throws {
    try inTemporaryFolder { folder in
      let model = try variant("tokenizer.json", folder, Self.makeByteFallback)
      try AtomicFile.write(
        Data(#"{"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "LlamaTokenizer"}"#.utf8),
        to: model + "/tokenizer_config.json")
      try export(model, to: folder + "/a.gguf")
      let (original, back) = (try Pretrained.open(model), try Pretrained.open(folder + "/a.gguf"))
      for text in [
        "hello world", "hello", "  hello  world ", "wordle", "中文 é 😀", "a\n\tb", "", "lllloooo rld",
      ] {
        let ids = try original.tokenizer.encode(text, parseSpecial: false)
        #expect(try back.tokenizer.encode(text, parseSpecial: false) == ids, "\(text)")
        #expect(
          back.tokenizer.decode(ids, skipSpecial: true) == original.tokenizer.decode(ids, skipSpecial: true))
      }
      #expect(try original.tokenizer.encode("hello world", parseSpecial: false).count == 2)
    }
  }

  private static func makeByteFallback(_ members: inout [String: JSONValue]) {
    let special = ["<unk>", "<s>", "</s>"]
    let bytes = (0..<256).map { String(format: "<0x%02X>", $0) }
    let merges = ["▁ h", "e l", "▁h el", "l o", "▁hel lo", "▁ w", "o r", "▁w or", "l d", "▁wor ld"]
    let joined = merges.map { $0.filter { $0 != " " } }
    let pieces = special + bytes + ["▁", "h", "e", "l", "o", "w", "r", "d", "中"] + joined
    let vocabulary = Dictionary(uniqueKeysWithValues: pieces.enumerated().map { ($1, JSONValue.int($0)) })
    members["model"] = .object([
      "type": .string("BPE"), "unk_token": .string("<unk>"), "fuse_unk": .bool(true),
      "byte_fallback": .bool(true),
      "vocab": .object(vocabulary), "merges": .array(merges.map(JSONValue.string)),
    ])
    members["added_tokens"] = .array(
      special.enumerated().map { id, text in
        .object([
          "id": .int(id), "content": .string(text), "special": .bool(true), "normalized": .bool(false),
        ])
      })
    members["normalizer"] = .object([
      "type": .string("Sequence"),
      "normalizers": .array([
        .object(["type": .string("Prepend"), "prepend": .string("▁")]),
        .object([
          "type": .string("Replace"), "pattern": .object(["String": .string(" ")]), "content": .string("▁"),
        ]),
      ]),
    ])
    members["pre_tokenizer"] = .null
    members["decoder"] = .object([
      "type": .string("Sequence"),
      "decoders": .array([
        .object([
          "type": .string("Replace"), "pattern": .object(["String": .string("▁")]), "content": .string(" "),
        ]),
        .object(["type": .string("ByteFallback")]), .object(["type": .string("Fuse")]),
        .object([
          "type": .string("Strip"), "content": .string(" "), "start": .int(1), "stop": .int(0),
        ]),
      ]),
    ])
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
