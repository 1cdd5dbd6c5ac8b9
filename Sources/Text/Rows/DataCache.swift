import FireflyBase
import Foundation

/// Where tokenised rows are kept between runs, one file for each combination of data, tokenizer, template and length.
///
/// A file's name and key come from contents, never from names or times: whatever changes the rows makes another file.
public struct DataCache: Sendable {
  public var folder: String
  /// Data smaller than this is tokenised anew each time: that takes no longer than a second.
  public var smallestBytes: Int
  /// The model that the tokenizer came from: a folder or a .gguf file.
  public var tokenizerPath: String?

  /// Caches kept of one data file, the latest used.
  private static let keptPerFile = 4

  public init(folder: String, tokenizerPath: String? = nil, smallestBytes: Int = 8 << 20) {
    self.folder = folder
    self.tokenizerPath = tokenizerPath
    self.smallestBytes = smallestBytes
  }

  /// The user's cache folder: `$FIREFLY_DATA_CACHE`, else `$XDG_CACHE_HOME/firefly`, else `~/.cache/firefly`; nil when the
  /// first is "off".
  public static func standardFolder(_ environment: [String: String] = ProcessInfo.processInfo.environment)
    -> String?
  {
    if let own = environment["FIREFLY_DATA_CACHE"], !own.isEmpty { return own == "off" ? nil : own }
    if let shared = environment["XDG_CACHE_HOME"], shared.hasPrefix("/") { return shared + "/firefly" }
    return FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/firefly").path
  }

  /// The file for `key`; caches of the same data lie side by side.
  func path(for key: DataKey) -> String { "\(folder)/\(key.source)-\(key.digest.text).rows" }

  /// The rows kept under `key`; nil when there are none. A damaged file is removed.
  func stored(_ key: DataKey) -> SampleFile? {
    let path = path(for: key)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let file = try? SampleFile(path, key: key.digest) else {
      try? FileManager.default.removeItem(atPath: path)
      return nil
    }
    // The time of the last use, for `removeOld`.
    try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
    return file
  }

  /// Removes the caches of the same data file that were used longest ago, and what programs that were killed have left.
  func removeOld(_ key: DataKey) {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where DataCache.isLeftOver(name) {
      try? manager.removeItem(atPath: "\(folder)/\(name)")
    }
    let caches = names.filter { $0.hasPrefix(key.source + "-") && $0.hasSuffix(".rows") }.map { name in
      let path = "\(folder)/\(name)"
      let date = (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
      return (path: path, date: date ?? .distantPast)
    }
    for cache in caches.sorted(by: { $0.date > $1.date }).dropFirst(DataCache.keptPerFile) {
      try? manager.removeItem(atPath: cache.path)
    }
  }
}

extension DataCache {
  /// Whether a file is a part of a cache whose writer is gone: `….rows.partial-PID`.
  private static func isLeftOver(_ name: String) -> Bool {
    guard let mark = name.range(of: ".rows.partial-"), let writer = Int32(name[mark.upperBound...]),
      writer > 0
    else { return false }
    return kill(writer, 0) != 0 && errno == ESRCH
  }
}

/// What decides the rows: the data's bytes, which rows are taken and what is learnt of them, the tokenizer, the template
/// and the length.
struct DataKey {
  /// Names the data files by their paths, 16 digits.
  let source: String
  let digest: ContentHash.Digest

  init(_ builder: DatasetBuilder, tokenizerPath: String?) throws {
    var name = ContentHash()
    for source in builder.sources { name.add(URL(filePath: source.path).standardizedFileURL.path) }
    self.source = String(name.digest.text.prefix(16))

    var hash = ContentHash()
    hash.add(SampleFile.version)
    hash.add(builder.template?.identity ?? "text")
    hash.add(builder.learnt.rawValue)
    hash.add(builder.selection.identity)
    hash.add(UInt64(builder.maxLength))
    if let maxPromptLength = builder.maxPromptLength {
      hash.add("pairs")
      hash.add(UInt64(maxPromptLength))
    }
    try hash.add(builder.tokenizer, path: tokenizerPath)
    for path in builder.sources.flatMap(\.files) {
      hash.add((path as NSString).lastPathComponent)
      let file = try MappedFile(path)
      hash.add(UInt64(file.bytes.count))
      hash.add(file)
    }
    digest = hash.digest
  }
}

extension Tokenizers {
  /// The files that a tokenizer may be made of: those of a model folder, or the one file.
  fileprivate static func files(_ path: String) -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return [] }
    guard isFolder.boolValue else { return [path] }
    // config.json is part of the key of every cache there is.
    let names = ModelFiles.tokenizer + [ModelFiles.config]
    return names.map { "\(path)/\($0)" }.filter(FileManager.default.fileExists)
  }
}

extension ContentHash {
  /// A text in which every part of a tokenizer has something to do.
  private static let probe =
    "Hello, world! It's 2024-07-26; 3.14159 isn't 22/7.\n\n\tif (x == 1) { return \"a_b\"; }\r\n  中文、混排English的句子。"
    + "１２３ ｱｲｳ é e\u{301} ﬁ Ⅷ 한국어 русский العربية 😀👩‍👩‍👧 \u{200B}\u{3000}<s></s><|im_end|>   end  "

  /// The tokenizer's files, and what it does: its vocabulary, its special tokens, and what it makes of a text, so that
  /// another version of the code is noticed too.
  fileprivate mutating func add(_ tokenizer: any Tokenizer, path: String?) throws {
    for file in path.map(Tokenizers.files) ?? [] {
      add((file as NSString).lastPathComponent)
      let mapped = try MappedFile(file)
      // A .gguf file begins with its metadata; the weights behind it make no rows.
      add(mapped, 0..<min(mapped.bytes.count, 32 << 20))
    }
    add(UInt64(tokenizer.vocabularySize))
    for id in 0..<Int32(clamping: min(tokenizer.vocabularySize, TokenTable.largestID)) {
      add(tokenizer.token(of: id) ?? "")
    }
    for id in [tokenizer.bos, tokenizer.eos, tokenizer.pad, tokenizer.unk] {
      add(UInt64(bitPattern: Int64(id ?? -1)))
    }
    for id in tokenizer.specialIDs.sorted() { add(UInt64(bitPattern: Int64(id))) }
    add(tokenizer.addsBOS ? 1 : 0)
    // A vocabulary that cannot spell the whole text is told from others by its first part that it can.
    for line in ContentHash.probe.split(separator: "\n") {
      let ids = (try? tokenizer.encode(String(line), parseSpecial: true)) ?? []
      ids.withUnsafeBytes { add($0) }
    }
  }
}
