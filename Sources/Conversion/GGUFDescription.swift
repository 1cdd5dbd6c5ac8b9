import FireflyBase
import FireflyText
import FireflyWeights
import Foundation

/// What a GGUF file says of a model that does not compute it: `general.*` as a file has it that the model is made of, or what
/// a folder's README.md says of the licence.
struct GGUFDescription {
  typealias Pair = (key: String, value: GGUFWriter.Value)

  let pairs: [Pair]

  private static let prefix = "general."
  private static let name = prefix + "name"
  /// What the file that is written says itself.
  private static let own = Set(
    ["architecture", "type", "file_type", "quantization_version", "alignment"].map { prefix + $0 })
  /// Keys of a model card, and those of GGUF.
  private static let card = [
    ("license", prefix + "license"), ("license_name", prefix + "license.name"),
    ("license_link", prefix + "license.link"),
  ]

  init(_ source: ModelSource) throws {
    let kept = try source.gguf.map(GGUFDescription.kept) ?? GGUFDescription.card(of: source.path)
    let name = ((source.gguf == nil ? source.name : source.path) as NSString).lastPathComponent
    let hasName = kept.contains { $0.key == GGUFDescription.name }
    pairs = (hasName ? [] : [(GGUFDescription.name, .string(name))]) + kept
  }

  private static func kept(_ file: GGUFFile) -> [Pair] {
    file.pairs { $0.hasPrefix(prefix) && !own.contains($0) }
  }

  /// The plain values in the front matter of a folder's README.md.
  private static func card(of folder: String) throws -> [Pair] {
    let path = "\(folder)/README.md"
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let lines = try DataContent.text(path).split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard lines.first == "---" else { return [] }
    let front = lines.dropFirst().prefix { $0 != "---" }
    return card.compactMap { key, name in
      let line = front.first { $0.hasPrefix(key + ":") }
      let value = line?.dropFirst(key.count + 1).trimmingCharacters(in: CharacterSet(charactersIn: " \"'"))
      return value.flatMap { $0.isEmpty ? nil : (name, .string($0)) }
    }
  }
}
