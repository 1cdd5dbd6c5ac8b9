import FireflyHub

/// What a hub knows contents by.
package enum HubHash {
  package static func sha256(_ bytes: [UInt8]) -> String { text(Digest(), bytes) }

  package static func gitBlob(_ bytes: [UInt8]) -> String { text(Digest(gitBlobOf: bytes.count), bytes) }

  private static func text(_ digest: Digest, _ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { digest.add($0) }
    return digest.finish()
  }
}
