import FireflyBase
import Foundation

/// What a conversion writes: a model's folder or a GGUF file.
enum ConversionOutput {
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
      : content?.contains(ModelFiles.config) == true
    guard isReplaceable else {
      throw FireflyError(
        "what is there is not replaced", at: path,
        expected: self == .file ? "a GGUF file" : "a model's folder, with a config.json",
        fix: "Choose another name, or remove it.")
    }
    if let input = inputs.first(where: { ConversionOutput.holds(path, $0) }) {
      throw FireflyError(
        "the output would replace what is read", at: path, found: input, fix: "Choose another name.")
    }
    return path
  }

  /// Whether `input` is at `path` or in it.
  private static func holds(_ path: String, _ input: String) -> Bool {
    let (outer, inner) = (path.resolvedPath, input.resolvedPath)
    return inner == outer || inner.hasPrefix(outer + "/")
  }
}
