import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation

/// Writes files, by their paths in `folder`.
func write(_ files: [String: String], to folder: String) throws {
  for (path, text) in files {
    try AtomicFile.makeFolder("\(folder)/\(path)".parentFolder)
    try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(path)")
  }
}

func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// Names in a folder and all below, folders left out.
func files(in folder: String) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder)
    return !isFolder.boolValue
  }.sorted()
}

/// Bytes without a pattern, so that a part in a wrong place is noticed.
func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}

/// What a test's model is called.
let modelName = "Org/Name"

extension FakeHub.Model {
  /// A small model: a configuration, a tokenizer, one file of weights; and what nobody should fetch.
  static func small(weights: [UInt8] = bytes(200_000)) -> FakeHub.Model {
    FakeHub.Model(
      [
        "config.json": Array("{}".utf8), "tokenizer.json": bytes(5000, seed: 2),
        "README.md": bytes(100, seed: 3),
        "model.safetensors": weights, "pytorch_model.bin": bytes(300, seed: 4),
        "original/consolidated.00.pth": bytes(300, seed: 5), "onnx/model.onnx": bytes(300, seed: 6),
      ], large: ["model.safetensors", "pytorch_model.bin"])
  }
}

extension ModelDownload {
  /// Of a test: into a cache in `folder`, without waiting between tries.
  init(
    _ hub: FakeHub, in folder: String, _ name: String = modelName, token: String? = nil, gguf: [String] = []
  )
    throws
  {
    guard let name = ModelName(name) else { throw FireflyError("not a name", found: name) }
    var settings = HubSettings(["HOME": folder, "HF_HUB_CACHE": "\(folder)/hub"])
    settings.endpoint = hub.endpoint
    settings.token = token
    self.init(name, gguf: gguf, settings: settings)
    policy.delay = .zero
    // Keeps the hub up while it is asked.
    freeBytes = { folder in withExtendedLifetime(hub) { DiskSpace.freeBytes(at: folder) } }
  }

  /// The cache's folder of the model.
  var cached: String { HuggingFaceCache(root: settings.cacheFolder).folder(of: name.repository) }
}
