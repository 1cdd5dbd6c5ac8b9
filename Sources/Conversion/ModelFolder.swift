import FireflyBase
import FireflyTensors
import FireflyWeights
import Foundation

/// A model folder that is written whole or not at all.
public struct ModelFolder {
  /// Where it will stand.
  public let path: String

  /// - Parameters:
  ///   - overwrite: whether a model's folder that is there already is replaced (when the new one is whole).
  ///   - inputs: what is read, which the new folder must not replace.
  /// - Throws: `FireflyError` when something is there that must not be replaced.
  public init(_ path: String, overwrite: Bool = false, inputs: [String] = []) throws {
    self.path = try Destination.folder.checked(path, overwrite: overwrite, inputs: inputs)
  }

  /// Writes config.json, the files beside the weights, and the tensors.
  ///
  /// - Parameters:
  ///   - config: config.json.
  ///   - source: gives the other files: tokenizer, chat template, generation_config.json.
  ///   - shardLimit: the most bytes of a safetensors file.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  func write(
    config: JSONValue, like source: ModelSource, _ items: [SafeTensorsWriter.Item], shardLimit: Int,
    progress: ((Double) throws -> Void)?
  ) throws {
    try AtomicFile.writeFolder(path) { folder in
      try AtomicFile.write(Data((config.text(indent: 2) + "\n").utf8), to: "\(folder)/config.json")
      try Companions(source).write(to: folder)
      try SafeTensorsWriter.writeModel(items, shardLimit: shardLimit, to: folder, progress: progress)
    }
  }
}

/// What a conversion writes.
enum Destination {
  case folder, file

  /// The path without slashes at its end.
  ///
  /// - Parameter inputs: what is read.
  /// - Throws: `FireflyError` when something is there and is not to be replaced: without `overwrite`, and with it what is
  ///   neither a model nor of the same kind, or holds an input.
  func checked(_ path: String, overwrite: Bool, inputs: [String]) throws -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !path.isEmpty else { throw FireflyError("the output has no name", expected: "a path") }
    let manager = FileManager.default
    guard let kind = try? manager.attributesOfItem(atPath: path)[.type] as? FileAttributeType else {
      return path
    }
    let content = kind == .typeDirectory ? try? manager.contentsOfDirectory(atPath: path) : nil
    if self == .folder, content?.isEmpty == true { return path }
    guard overwrite else {
      throw FireflyError(
        "there is something already", at: path, fix: "Choose another name, or say --overwrite.")
    }
    let isReplaceable =
      self == .file
      ? kind == .typeRegular && FileHandle(forReadingAtPath: path)?.readData(ofLength: 4) == Data("GGUF".utf8)
      : content?.contains("config.json") == true
    guard isReplaceable else {
      throw FireflyError(
        "what is there is not replaced", at: path,
        expected: self == .file ? "a GGUF file" : "a model's folder, with a config.json",
        fix: "Choose another name, or remove it.")
    }
    if let input = inputs.first(where: { Destination.holds(path, $0) }) {
      throw FireflyError(
        "the output would replace what is read", at: path, found: input, fix: "Choose another name.")
    }
    return path
  }

  /// Whether `input` is at `path` or in it.
  private static func holds(_ path: String, _ input: String) -> Bool {
    let outer = URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    let inner = URL(fileURLWithPath: input).resolvingSymlinksInPath().standardizedFileURL.path
    return inner == outer || inner.hasPrefix(outer + "/")
  }
}

extension ModelSource {
  /// The 16-bit type that config.json names, bfloat16 when it names none or float32.
  var halfType: DType {
    let name = config["dtype"]?.string ?? config["torch_dtype"]?.string
    return name == "float16" ? .float16 : .bfloat16
  }

  /// Whether the linear layers are stored in 4 bits.
  public var isQuantized: Bool { config["quantization_config"] != nil }

  /// config.json with some members replaced; null removes one.
  func config(replacing members: [String: JSONValue]) -> JSONValue {
    let merged = (config.object ?? [:]).merging(members) { $1 }
    return .object(merged.filter { members[$0.key] != .null })
  }
}
