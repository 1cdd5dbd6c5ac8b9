import FireflyBase
import Foundation

/// How a Hugging Face folder keeps its tensors: in one file, or in shards with an index.
struct CheckpointFormat: Sendable {
  let names: ModelFiles.Weights
  /// The tensors of one file.
  let tensors: @Sendable (String) throws -> [StoredTensor]

  static let safeTensors = CheckpointFormat(
    names: ModelFiles.safeTensors, tensors: { try SafeTensorsFile($0).tensors })
  static let torch = CheckpointFormat(names: ModelFiles.torch, tensors: TorchFile.tensors)

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
  /// Every tensor of the folder.
  static func open(_ folder: String) throws -> [StoredTensor] {
    let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    for format in CheckpointFormat.all {
      let single = format.names.single
      if exists(single) { return try format.tensors("\(folder)/\(single)") }
      if exists(format.names.index) { return try sharded(folder, format) }
    }
    throw missing(in: folder)
  }

  private static func sharded(_ folder: String, _ format: CheckpointFormat) throws -> [StoredTensor] {
    let path = "\(folder)/\(format.names.index)"
    let map = try ModelFiles.weightMap(of: path)
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

  /// No file that is looked for: say what is there instead.
  private static func missing(in folder: String) -> FireflyError {
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let expected =
      CheckpointFormat.all.map(\.names.single).joined(separator: ", ") + ", or an index and its shards"
    for (format, start, end) in [
      (CheckpointFormat.safeTensors, "", ".safetensors"), (.torch, "pytorch_model", ".bin"),
    ] {
      guard let loose = files.first(where: { $0.hasPrefix(start) && $0.hasSuffix(end) }) else { continue }
      return FireflyError(
        "the folder's weights have no index", at: folder, expected: expected, found: loose,
        fix: "Download \(format.names.index) too, or rename the only file to \(format.names.single).")
    }
    return FireflyError("the folder holds no weights", at: folder, expected: expected)
  }
}
