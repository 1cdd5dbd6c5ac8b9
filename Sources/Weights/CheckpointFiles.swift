import FireflyBase
import Foundation

/// How a Hugging Face folder keeps its tensors: in one file, or in shards with an index.
struct CheckpointFormat: Sendable {
  /// The only file of a small model.
  let single: String
  /// Which shard holds which tensor: `{"weight_map": {"tensor": "file"}}`.
  let index: String
  /// The tensors of one file.
  let tensors: @Sendable (String) throws -> [StoredTensor]

  static let safeTensors = CheckpointFormat(
    single: SafeTensorsFile.modelName, index: SafeTensorsFile.indexName,
    tensors: { try SafeTensorsFile($0).tensors })
  static let torch = CheckpointFormat(
    single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", tensors: TorchFile.tensors)

  /// The formats, in the order in which a folder's files are looked for.
  static let all = [safeTensors, torch]

  /// The tensors of one file of any format, told by its name.
  static func tensors(of path: String) throws -> [StoredTensor] {
    let isTorch = [".bin", ".pt", ".pth"].contains { path.hasSuffix($0) }
    return try (isTorch ? torch : safeTensors).tensors(path)
  }
}

/// The weights of a Hugging Face folder.
enum CheckpointFiles {
  /// Every tensor of the folder. Safetensors go before PyTorch's files, and one file before an index, as in transformers.
  static func open(_ folder: String) throws -> [StoredTensor] {
    let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    for format in CheckpointFormat.all {
      if exists(format.single) { return try format.tensors("\(folder)/\(format.single)") }
      if exists(format.index) { return try sharded(folder, format) }
    }
    throw missing(in: folder)
  }

  private static func sharded(_ folder: String, _ format: CheckpointFormat) throws -> [StoredTensor] {
    let path = "\(folder)/\(format.index)"
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
      let shard = try format.tensors("\(folder)/\(file)")
      for tensor in shard {
        guard map[tensor.info.name] == file else {
          throw stale(path, tensor.info.name, index: map[tensor.info.name] ?? "nowhere", found: file)
        }
      }
      tensors += shard
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

  /// The file of each tensor, by its name.
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

  /// No file that is looked for: say what is there instead.
  private static func missing(in folder: String) -> FireflyError {
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let expected = CheckpointFormat.all.map(\.single).joined(separator: ", ") + ", or an index and its shards"
    for (format, start, end) in [
      (CheckpointFormat.safeTensors, "", ".safetensors"), (.torch, "pytorch_model", ".bin"),
    ] {
      guard let loose = files.first(where: { $0.hasPrefix(start) && $0.hasSuffix(end) }) else { continue }
      return FireflyError(
        "the folder's weights have no index", at: folder, expected: expected, found: loose,
        fix: "Download \(format.index) too, or rename the only file to \(format.single).")
    }
    return FireflyError("the folder holds no weights", at: folder, expected: expected)
  }
}
