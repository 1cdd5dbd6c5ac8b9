import CGnuTLS
import FireflyBase
import Foundation

/// A certificate with its key, as the daemon takes them: PEM texts that belong together.
package struct TLSIdentity: Sendable {
  /// The server's certificate, and behind it those that lead to its authority.
  let certificate: String
  let key: String

  /// What is offered to clients: TLS 1.2 and later.
  static let priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

  /// - Throws: `FireflyError` for a file that cannot be read, is not what it should be, a key with a password, and a key
  ///   that is another certificate's.
  init(certificateFile: String, keyFile: String) throws {
    certificate = try TLSIdentity.text(of: certificateFile, "CERTIFICATE")
    key = try TLSIdentity.text(of: keyFile, "PRIVATE KEY")
    guard !key.contains("ENCRYPTED") else {
      throw FireflyError(
        "the key is encrypted", at: keyFile, expected: "a key without a password",
        fix: "Decrypt it into a file that only you can read: openssl pkey -in \(keyFile) -out plain.pem.")
    }
    let result = TLSIdentity.check(certificate, key)
    switch result {
    case GNUTLS_E_SUCCESS: return
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
      throw FireflyError(
        "the key does not belong to the certificate", at: keyFile, expected: "the key of \(certificateFile)",
        fix:
          "Give --tls-cert the server's own certificate first, and --tls-key the key that it was made with.")
    default:
      throw FireflyError(
        "the certificate or its key cannot be used", at: "\(certificateFile), \(keyFile)",
        expected: "both in PEM, whole", found: String(cString: gnutls_strerror(result)),
        fix: "Look at them: openssl x509 -in \(certificateFile) -text; openssl pkey -in \(keyFile) -check.")
    }
  }

  /// - Parameter block: that the file must have a block of, as in `-----BEGIN RSA PRIVATE KEY-----`.
  private static func text(of file: String, _ block: String) throws -> String {
    let mapped = try MappedFile(file)
    let text = withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
    guard text.split(separator: "\n").contains(where: { $0.hasPrefix("-----BEGIN ") && $0.contains(block) })
    else {
      throw FireflyError(
        "not the file that TLS needs", at: file, expected: "PEM with -----BEGIN \(block)-----",
        found: text.contains("-----BEGIN ") ? "PEM of something else" : "no PEM")
    }
    return text
  }

  /// What GnuTLS says of the pair.
  private static func check(_ certificate: String, _ key: String) -> Int32 {
    var credentials: gnutls_certificate_credentials_t?
    let made = gnutls_certificate_allocate_credentials(&credentials)
    guard made == GNUTLS_E_SUCCESS, let credentials else { return made }
    defer { gnutls_certificate_free_credentials(credentials) }
    return withDatum(certificate) { certificate in
      withDatum(key) { key in
        var (certificate, key) = (certificate, key)
        return gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM)
      }
    }
  }

  private static func withDatum<Result>(_ text: String, _ body: (gnutls_datum_t) -> Result) -> Result {
    var bytes = Array(text.utf8)
    return bytes.withUnsafeMutableBufferPointer {
      body(gnutls_datum_t(data: $0.baseAddress, size: UInt32($0.count)))
    }
  }
}
