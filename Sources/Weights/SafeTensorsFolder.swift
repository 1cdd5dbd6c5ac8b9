import FireflyBase
import Foundation

/// The safetensors of a Hugging Face folder: one file, or shards with an index.
enum SafeTensorsFolder {
  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// Every tensor of the folder. `model.safetensors` goes before an index, as in transformers.
  static func open(_ folder: String) throws -> [StoredTensor] {
    let manager = FileManager.default
    if manager.fileExists(atPath: "\(folder)/\(single)") {
      return try SafeTensorsFile("\(folder)/\(single)").tensors
    }
    if manager.fileExists(atPath: "\(folder)/\(index)") {
      return try sharded(folder)
    }
    throw missing(in: folder)
  }

  private static func sharded(_ folder: String) throws -> [StoredTensor] {
    let path = "\(folder)/\(index)"
    let map = try weightMap(path)
    let files = Set(map.values).sorted()
    let absent = files.filter { !FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    guard absent.isEmpty else {
      throw FireflyError(
        "\(absent.count) of \(files.count) shards are missing: \(absent.prefix(4).joined(separator: ", "))",
        at: path,
        fix: "Download the missing files into the folder.")
    }
    var tensors: [StoredTensor] = []
    for file in files {
      let shard = try SafeTensorsFile("\(folder)/\(file)")
      for tensor in shard.tensors {
        guard map[tensor.info.name] == file else {
          throw stale(path, tensor.info.name, index: map[tensor.info.name] ?? "nowhere", found: file)
        }
      }
      tensors += shard.tensors
    }
    let found = Set(tensors.map(\.info.name))
    if let name = map.keys.sorted().first(where: { !found.contains($0) }), let file = map[name] {
      throw stale(path, name, index: file, found: "in no shard")
    }
    return tensors
  }

  private static func stale(_ path: String, _ name: String, index: String, found: String) -> FireflyError {
    FireflyError(
      "the index is stale: it does not belong to these shards", at: "\(path): \(name)", expected: index,
      found: found, fix: "Download the folder again, or write the model again.")
  }

  /// File by tensor name.
  private static func weightMap(_ path: String) throws -> [String: String] {
    guard let members = try JSONValue.read(path)["weight_map"]?.object else {
      throw FireflyError(
        "the index lacks weight_map", at: path, expected: "an object of tensor names and files")
    }
    return try members.reduce(into: [:]) { map, member in
      guard let file = member.value.string, !file.isEmpty, !file.contains("/") else {
        throw FireflyError(
          "a file name in weight_map is wrong", at: "\(path): \(member.key)",
          expected: "the name of a file in the same folder", found: member.value.text())
      }
      map[member.key] = file
    }
  }

  /// No safetensors: say what is there instead.
  private static func missing(in folder: String) -> FireflyError {
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let expected = "\(single), or \(index) and its shards"
    if let pickle = files.first(where: { $0.hasPrefix("pytorch_model") }) {
      return FireflyError(
        "the folder's weights are only in PyTorch's pickle format", at: folder, expected: expected,
        found: pickle,
        fix: "Firefly reads safetensors and GGUF: save the model again with transformers' save_pretrained.")
    }
    if let loose = files.first(where: { $0.hasSuffix(".safetensors") }) {
      return FireflyError(
        "the folder's weights have no index", at: folder, expected: expected, found: loose,
        fix: "Download \(index) too, or rename the only file to \(single).")
    }
    return FireflyError("the folder holds no weights", at: folder, expected: expected)
  }
}
