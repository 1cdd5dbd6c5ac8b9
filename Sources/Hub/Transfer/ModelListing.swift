import FireflyBase

/// Reads what the hub tells of a model's files: in its listing, or in the headers of one.
enum ModelListing {
  /// The answer of `/api/models/NAME/revision/REVISION?blobs=true`.
  ///
  /// - Throws: `FireflyError` when it is not a hub's.
  static func read(_ text: String, source: String) throws -> RemoteModel {
    let json = try? JSONValue.parse(text, source: source)
    guard let commit = json?["sha"]?.string, Hex.isHex(commit, count: 40),
      let siblings = json?["siblings"]?.array
    else {
      throw FireflyError(
        "this is not a hub's answer", at: source, expected: "a model's commit and files, as JSON",
        fix: "Does HF_ENDPOINT name a hub or a mirror of one?")
    }
    let files = try siblings.map { sibling in
      guard let path = sibling["rfilename"]?.string, ModelName.isInnerPath(path) else {
        throw FireflyError(
          "a file's name in the hub's listing is wrong", at: source, expected: "a path within the model",
          found: sibling["rfilename"]?.text() ?? "none")
      }
      return (path, file(path, sibling))
    }
    return RemoteModel(commit: commit, files: files)
  }

  /// Of large files the SHA-256 is told, of small ones git's hash of the blob.
  private static func file(_ path: String, _ sibling: JSONValue) -> RemoteFile? {
    let large = sibling["lfs"]
    guard let size = large?["size"]?.int ?? sibling["size"]?.int, size >= 0,
      let hash = large?.object == nil ? sibling["blobId"]?.string : large?["sha256"]?.string,
      let digest = FileDigest(hash)
    else { return nil }
    return RemoteFile(path: path, size: size, digest: digest, tag: hash)
  }

  /// What the headers of a file tell, or of the redirection to where it lies.
  ///
  /// - Throws: `FireflyError` when they do not tell its size or a tag.
  static func file(
    _ path: String, headers: [String: String], isRedirect: Bool, source: String
  ) throws -> RemoteFile {
    let length = headers["x-linked-size"] ?? (isRedirect ? nil : headers["content-length"])
    let tag = (headers["x-linked-etag"] ?? headers["etag"]).map(plain)
    guard let size = length.flatMap(Int.init), size >= 0, let tag, !tag.isEmpty else {
      throw FireflyError(
        "the hub does not tell the file's size and hash", at: source,
        expected: "X-Linked-Size and X-Linked-ETag, or Content-Length and ETag",
        fix: "Does HF_ENDPOINT name a hub or a mirror of one?")
    }
    return RemoteFile(path: path, size: size, digest: FileDigest(tag), tag: tag)
  }

  /// An `ETag` without its quotes, as the name of a file.
  private static func plain(_ tag: String) -> String {
    let text = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
    return String(
      text.filter { $0 != "\"" }.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }
        .prefix(128))
  }
}
