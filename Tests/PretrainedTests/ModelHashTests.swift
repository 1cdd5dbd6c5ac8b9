import FireflyBase
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Checkpoints and files of results hold these hashes: they may not change from one version to the next.
@Suite struct ModelHashTests {
  @Test func modelsAndAdaptersKeepTheirHashes() throws {
    let folder = NSTemporaryDirectory() + "firefly-hash-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func write(_ text: String, _ name: String) throws {
      try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(name)")
    }
    let matrix = Tensor((0..<32).map { Float($0) / 8 }, [4, 8])
    try write(#"{"model_type": "llama", "hidden_size": 8, "rms_norm_eps": 1e-05}"#, "config.json")
    try SafeTensorsWriter.write(
      [("a.weight", matrix), ("b.bias", Tensor([1, -2] as [Float], [2]))], to: folder + "/model.safetensors")
    try write(#"{"r": 4, "lora_alpha": 8.0}"#, "adapter_config.json")
    try SafeTensorsWriter.write(
      [("c.lora_A.weight", matrix)], to: folder + "/adapter_model.safetensors")

    #expect(try ModelHash.of(ModelSource.open(folder)) == "712401340baafc8c")
    #expect(try ModelHash.of(adapter: folder) == "51cf9594aa4f29f7")

    // Another order of the keys is the same model; another number is another one.
    try write(#"{"rms_norm_eps": 1e-05, "hidden_size": 8, "model_type": "llama"}"#, "config.json")
    #expect(try ModelHash.of(ModelSource.open(folder)) == "712401340baafc8c")
    try write(#"{"model_type": "llama", "hidden_size": 8, "rms_norm_eps": 1e-06}"#, "config.json")
    #expect(try ModelHash.of(ModelSource.open(folder)) != "712401340baafc8c")
  }

  /// Older PEFT writes adapter_model.bin. A tensor's bytes are the same there, and so is the hash.
  @Test func anAdapterOfTorchHasTheSameHash() throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path()
    let adapter = tests + "CLITests/Fixtures/run/adapter"
    let folder = try TemporaryFolder()
    for path in [
      adapter + "/adapter_config.json", tests + "WeightsTests/Fixtures/torch/adapter/adapter_model.bin",
    ] {
      try folder.write(MappedFile(path).data, to: (path as NSString).lastPathComponent)
    }
    #expect(try ModelHash.of(adapter: folder.path) == ModelHash.of(adapter: adapter))
  }
}
