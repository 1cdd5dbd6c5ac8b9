import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Hugging Face folders: one file, shards with an index, and what can be wrong with them.
@Suite struct FolderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(#"{"model_type": "llama", "torch_dtype": "bfloat16"}"#, to: "config.json")
  }

  private func writeShards(index: String? = nil) throws {
    try SafeTensorsWriter.write(
      [("a", Tensor([1], [1])), ("b", Tensor([2], [1]))], to: folder.path + "/one.safetensors")
    try SafeTensorsWriter.write([("c", Tensor([3], [1]))], to: folder.path + "/two.safetensors")
    let map = #"{"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}"#
    try folder.write(
      index ?? #"{"metadata": {"total_size": 12}, "weight_map": \#(map)}"#, to: "model.safetensors.index.json"
    )
  }

  private func refusal() -> String {
    thrownError { _ = try ModelSource.open(folder.path) }?.description ?? ""
  }

  @Test func opensOneFile() throws {
    try SafeTensorsWriter.write([("a", Tensor([1, 2], [2]))], to: folder.path + "/model.safetensors")
    try folder.write(#"{"eos_token_id": [1, 2]}"#, to: "generation_config.json")
    let source = try ModelSource.open(folder.path)
    #expect(source.config["torch_dtype"]?.string == "bfloat16")
    #expect(source.generationConfig?["eos_token_id"]?.array == [.int(1), .int(2)])
    #expect(try source.weights.tensor("a", shape: [2], as: .float32).floats == [1, 2])
    #expect(source.gguf == nil)
  }

  @Test func opensShards() throws {
    try writeShards()
    let source = try ModelSource.open(folder.path)
    #expect(source.weights.names == ["a", "b", "c"])
    #expect(try source.weights.tensor("c", shape: [1], as: .float32).floats == [3])
    #expect(source.weights.info("c")?.path == folder.path + "/two.safetensors")
    #expect(source.generationConfig == nil)
  }

  @Test func namesMissingShards() throws {
    try writeShards()
    try FileManager.default.removeItem(atPath: folder.path + "/two.safetensors")
    let message = refusal()
    #expect(message.contains("1 of 2 shards are missing: two.safetensors"), "\(message)")
  }

  struct BadIndex: Sendable, CustomTestStringConvertible {
    let index: String
    let says: [String]
    var testDescription: String { index }
  }

  @Test(arguments: [
    BadIndex(index: "{", says: ["index.json", "not valid JSON"]),
    BadIndex(index: #"{"metadata": {}}"#, says: ["index.json", "weight_map"]),
    BadIndex(index: #"{"weight_map": {"a": 3}}"#, says: ["index.json: a", "file name"]),
    BadIndex(index: #"{"weight_map": {"a": "../one.safetensors"}}"#, says: ["index.json: a", "file name"]),
    BadIndex(
      index: #"{"weight_map": {"a": "one.safetensors", "c": "two.safetensors"}}"#, says: ["stale", ": b"]),
    BadIndex(
      index: #"{"weight_map": {"a": "one.safetensors", "b": "one.safetensors", "x": "one.safetensors"}}"#,
      says: ["stale", ": x"]),
    BadIndex(
      index: #"{"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "c": "two.safetensors"}}"#,
      says: ["stale", ": b", "one.safetensors"]),
  ])
  func refusesIndex(_ bad: BadIndex) throws {
    try writeShards(index: bad.index)
    let message = refusal()
    for word in bad.says { #expect(message.contains(word), "\(message)") }
  }

  @Test func saysWhatAFolderWithoutConfigIs() throws {
    try FileManager.default.removeItem(atPath: folder.path + "/config.json")
    #expect(refusal().contains("no config.json"))
    try folder.write("", to: "m.Q4_0.gguf")
    #expect(refusal().contains("m.Q4_0.gguf"))
    try FileManager.default.removeItem(atPath: folder.path + "/m.Q4_0.gguf")
    try folder.write("{}", to: "adapter_config.json")
    #expect(refusal().contains("adapter"))
  }

  @Test func saysWhatAFolderWithoutSafetensorsHolds() throws {
    #expect(refusal().contains("holds no weights"))
    try folder.write("", to: "training_args.bin")
    #expect(refusal().contains("holds no weights"))
    try folder.write("", to: "pytorch_model-00001-of-00002.bin")
    #expect(refusal().contains("pytorch_model.bin.index.json"))
    try folder.write("", to: "model-00001-of-00002.safetensors")
    #expect(refusal().contains("model.safetensors.index.json"))
    try folder.write("", to: "pytorch_model.bin")
    #expect(refusal().contains("pytorch_model.bin: the file is empty"))
  }

  @Test(arguments: ["", "{", "[]"]) func refusesConfig(_ text: String) throws {
    try folder.write(text, to: "config.json")
    #expect(refusal().contains("config.json"))
  }

  @Test(arguments: [
    (#"{"quant_method": "gptq", "bits": 4}"#, "gptq"),
    (#"{"quant_method": "bitsandbytes", "load_in_8bit": true}"#, "without load_in_4bit"),
    (#"{"load_in_4bit": true, "bnb_4bit_quant_type": "fp4"}"#, "fp4"),
  ])
  func refusesOtherQuantization(_ json: String, _ says: String) throws {
    try folder.write(#"{"quantization_config": \#(json)}"#, to: "config.json")
    let message = refusal()
    #expect(message.contains(says) && message.contains("quantization_config"), "\(message)")
  }

  @Test func refusesOtherPaths() throws {
    #expect(thrownError { _ = try ModelSource.open("/no/such/model") }?.place == "/no/such/model")
    let file = try folder.write("x", to: "model.bin")
    #expect(thrownError { _ = try ModelSource.open(file) }?.what == "the file is not a model")
  }

  // MARK: - Files that transformers wrote

  @Test func readsShardsOfTransformers() throws {
    let whole = try ModelSource.open(Fixtures.folder + "/llama").weights
    let sharded = try ModelSource.open(Fixtures.folder + "/llama_sharded").weights
    #expect(whole.names.count == 12 && whole.names == sharded.names)
    for name in whole.names {
      let shape = try #require(whole.info(name)?.shape)
      let first = try whole.tensor(name, shape: shape, as: .bfloat16)
      expectBytes(first, bytes(try sharded.tensor(name, shape: shape, as: .bfloat16)), name)
    }
    #expect(Set(sharded.names.compactMap { sharded.info($0)?.path }).count == 4)
  }
}
