import CCrypto

/// A digest of bytes that come piece by piece, by libcrypto.
package final class Digest {
  private let context: OpaquePointer

  /// SHA-256.
  package convenience init() { self.init(EVP_sha256()) }

  /// Git's name of a blob of `size` bytes: SHA-1 of a header and the bytes.
  package convenience init(gitBlobOf size: Int) {
    self.init(EVP_sha1())
    let header = Array("blob \(size)\0".utf8)
    header.withUnsafeBytes { add($0) }
  }

  /// The one that makes a file's `FileDigest`.
  convenience init(like digest: FileDigest, size: Int) {
    switch digest {
    case .sha256: self.init()
    case .gitBlob: self.init(gitBlobOf: size)
    }
  }

  private init(_ kind: OpaquePointer) {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, kind, nil) == 1 else {
      preconditionFailure("libcrypto has no such digest")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package func add(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// In hexadecimal digits; nothing is to be added afterwards.
  package func finish() -> String {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &bytes, &count)
    return Hex.text(bytes[..<Int(count)])
  }
}
