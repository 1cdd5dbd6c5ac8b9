/// A file of a model as the hub lists it.
struct RemoteFile: Equatable, Sendable {
  /// Within the repository.
  let path: String
  /// Bytes.
  let size: Int
  /// What the hub says of the content; nil on a mirror that says nothing.
  let digest: FileDigest?
  /// The hub's name of the content: the digest's, or the `ETag` of a mirror.
  let tag: String
}

/// A repository at one commit.
struct RemoteModel: Sendable {
  let commit: String
  /// Names of all files, and what the listing tells of each: nothing on some mirrors.
  let files: [(path: String, known: RemoteFile?)]

  var paths: [String] { files.map(\.path) }
}
