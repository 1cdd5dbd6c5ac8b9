import FireflyBase
import FireflyHub
import FireflyTestSupport
import Testing

@Suite struct FileChoiceTests {
  private func choice(_ paths: [String], gguf: [String] = []) throws -> FileChoice {
    try FileChoice(paths, gguf: gguf, of: try #require(ModelName("Org/Name")))
  }

  @Test func safetensorsGoBeforePyTorchsFiles() throws {
    let read = [
      "LICENSE", "additional_chat_templates/tool_use.jinja", "chat_template.jinja", "config.json",
      "generation_config.json", "merges.txt", "modeling_x.py", "qwen.tiktoken", "special_tokens_map.json",
      "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json",
    ]
    let others = [
      ".gitattributes", "README.md", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack",
      "onnx/config.json", "onnx/model.onnx", "original/consolidated.00.pth", "original/tokenizer.model",
      "trainer_state.json", "training_args.bin", "runs/events.out", "model.Q4_0.gguf", "figures/a.py",
    ]
    let found = try choice(read + others + ["model.safetensors"])
    #expect(found.files.sorted() == (read + ["model.safetensors"]).sorted() && found.index == nil)
  }

  @Test func shardsComeWithTheirIndex() throws {
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    let found = try choice(
      ["config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json"] + shards)
    #expect(found.files == ["config.json", "model.safetensors.index.json"])
    #expect(found.index == "model.safetensors.index.json")
    let torch = try choice(["config.json", "pytorch_model.bin.index.json", "pytorch_model-1.bin"])
    #expect(torch.index == "pytorch_model.bin.index.json")
    // One file goes before an index, as when the folder is read.
    #expect(try choice(["config.json", "model.safetensors", "model.safetensors.index.json"]).index == nil)
  }

  @Test func theIndexSaysWhichShards() throws {
    try inTemporaryFolder { folder in
      let name = try #require(ModelName("Org/Name"))
      try write(["i.json": #"{"weight_map": {"b": "2.st", "a": "1.st", "c": "1.st"}}"#], to: folder)
      let shards = { (paths: [String]) in
        try FileChoice.shards(of: "\(folder)/i.json", in: paths, name: name)
      }
      #expect(try shards(["1.st", "2.st", "3.st"]) == ["1.st", "2.st"])
      let error = try #require(throws: FireflyError.self) { try shards(["1.st"]) }
      #expect(error.found == "2.st")
    }
  }

  @Test func anAdapterIsItsTwoFiles() throws {
    let found = try choice([
      "README.md", "adapter_config.json", "adapter_model.bin", "adapter_model.safetensors",
    ])
    #expect(found.files == ["adapter_config.json", "adapter_model.safetensors"])
  }

  @Test func ggufFilesAreChosenByNameOrPattern() throws {
    let paths = ["config.json", "a.Q4_K_M.gguf", "a.Q8_0.gguf", "q/b.Q4_K_M.gguf", "model.safetensors"]
    #expect(try choice(paths, gguf: ["a.Q8_0.gguf"]).files == ["a.Q8_0.gguf"])
    #expect(try choice(paths, gguf: ["*Q4_K_M*"]).files == ["a.Q4_K_M.gguf", "q/b.Q4_K_M.gguf"])
    #expect(try choice(paths, gguf: ["q/*", "a.Q8*"]).files == ["a.Q8_0.gguf", "q/b.Q4_K_M.gguf"])
    let error = try #require(throws: FireflyError.self) { try choice(paths, gguf: ["*Q2*"]) }
    #expect(error.expected == "a.Q4_K_M.gguf, a.Q8_0.gguf, q/b.Q4_K_M.gguf" && error.found == "*Q2*")
  }

  @Test func aModelOfOneGGUFFileNeedsNoPattern() throws {
    #expect(try choice(["README.md", "config.json", "a.gguf"]).files == ["a.gguf"])
    let error = try #require(throws: FireflyError.self) { try choice(["a.gguf", "b.gguf"]) }
    #expect(error.fix?.hasPrefix("Say which: firefly download Org/Name --gguf a.gguf") == true)
  }

  @Test func whatHasNoWeightsIsToldWithWhatItHas() throws {
    for paths in [["config.json", "rust_model.ot"], ["model.safetensors", "model_index.json"]] {
      let error = try #require(throws: FireflyError.self) { try choice(paths) }
      #expect(error.found == paths.joined(separator: ", "))
    }
  }
}
