/// A model's name on a hub as people write it: `Org/Name`, or `Name` for the first models (`gpt2`).
///
/// `/FILE.gguf` behind it names one file of a model that comes as GGUF files; `@REVISION` at the end a branch, tag or commit
/// other than the newest state: `Org/Name/model.Q4_0.gguf@v1.1`.
public struct ModelName: Hashable, Sendable, CustomStringConvertible {
  /// `Org/Name` or `Name`.
  public let repository: String
  /// A path in the repository that ends in `.gguf`; nil: the whole model.
  public let file: String?
  /// nil: the newest state, `main`.
  public let revision: String?

  /// nil when no model on a hub can have this name.
  public init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let path = parts.first else { return nil }
    let components = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    self.init(
      repository: components.prefix(2).joined(separator: "/"),
      file: components.count > 2 ? components[2...].joined(separator: "/") : nil,
      revision: parts.count > 1 ? parts[1] : nil)
  }

  /// The same with other parts; nil when they cannot be.
  public init?(repository: String, file: String? = nil, revision: String? = nil) {
    let components = repository.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(components.count), components.allSatisfy(ModelName.isNamePart),
      repository.utf8.count <= 193
    else { return nil }
    if let file {
      guard ModelName.isInnerPath(file), file.lowercased().hasSuffix(".gguf") else { return nil }
    }
    if let revision { guard ModelName.isRevision(revision) else { return nil } }
    self.repository = repository
    self.file = file
    self.revision = revision
  }

  public var description: String {
    repository + (file.map { "/\($0)" } ?? "") + (revision.map { "@\($0)" } ?? "")
  }

  /// The name without what leads to one file of it.
  var whole: String { repository + (revision.map { "@\($0)" } ?? "") }

  /// What a name does not end with: the hubs forbid the first, and who writes another means a file on this machine.
  private static let fileEndings = [".git", ".gguf", ".json", ".model", ".tiktoken", ".safetensors", ".bin"]

  /// Letters, digits, `-`, `_` and `.`, with a letter, digit or `_` at both ends, as the hubs allow.
  private static func isNamePart(_ part: Substring) -> Bool {
    let isWord = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == UInt8(ascii: "_")
    }
    guard let first = part.utf8.first, let last = part.utf8.last, isWord(first), isWord(last) else {
      return false
    }
    return part.utf8.count <= 96 && !part.contains("--") && !part.contains("..")
      && !fileEndings.contains(where: part.lowercased().hasSuffix)
      && part.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  /// A path that leads down and nowhere else.
  static func isInnerPath(_ path: String) -> Bool {
    path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !["", ".", ".."].contains($0) }
      && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
  }

  /// What git allows as a name.
  private static func isRevision(_ text: String) -> Bool {
    isInnerPath(text) && !text.contains("..") && !text.hasPrefix("-")
      && !text.contains(where: " ~^:?*[\\".contains)
  }
}
