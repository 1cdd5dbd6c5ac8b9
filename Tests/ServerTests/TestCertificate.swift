import CGnuTLS
import FireflyBase
import FireflyTestSupport
import Foundation

/// A certificate for `localhost` that signs itself, made for a test and valid for a day, in the files of a folder.
final class TestCertificate {
  private let folder: TemporaryFolder
  let certificate: String
  let key: String

  init() throws {
    folder = try TemporaryFolder()
    let key = try TestCertificate.makeKey()
    defer { gnutls_x509_privkey_deinit(key) }
    self.key = try folder.write(TestCertificate.pem(of: key), to: "key.pem")
    certificate = try folder.write(TestCertificate.certificate(for: key), to: "certificate.pem")
  }

  /// The file with these bytes, beside the others.
  func file(_ name: String, _ text: String) throws -> String { try folder.write(Data(text.utf8), to: name) }

  private static func makeKey() throws -> gnutls_x509_privkey_t {
    var key: gnutls_x509_privkey_t?
    try check(gnutls_x509_privkey_init(&key))
    guard let key else { throw FireflyError("no key") }
    try check(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, 256, 0))
    return key
  }

  private static func pem(of key: gnutls_x509_privkey_t) throws -> Data {
    var text = gnutls_datum_t()
    try check(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text))
    return data(text)
  }

  /// The same key behind a password.
  func encryptedKey() throws -> String {
    let key = try TestCertificate.makeKey()
    defer { gnutls_x509_privkey_deinit(key) }
    var text = gnutls_datum_t()
    let flags = UInt32(GNUTLS_PKCS_PBES2_AES_256.rawValue)
    try TestCertificate.check(
      gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, "secret", flags, &text))
    return try folder.write(TestCertificate.data(text), to: "encrypted.pem")
  }

  private static func certificate(for key: gnutls_x509_privkey_t) throws -> Data {
    var made: gnutls_x509_crt_t?
    try check(gnutls_x509_crt_init(&made))
    guard let certificate = made else { throw FireflyError("no certificate") }
    defer { gnutls_x509_crt_deinit(certificate) }
    try check(gnutls_x509_crt_set_version(certificate, 3))
    try check(gnutls_x509_crt_set_key(certificate, key))
    try check(gnutls_x509_crt_set_serial(certificate, [1], 1))
    let now = time(nil)
    try check(gnutls_x509_crt_set_activation_time(certificate, now - 3600))
    try check(gnutls_x509_crt_set_expiration_time(certificate, now + 86_400))
    try check(gnutls_x509_crt_set_dn(certificate, "CN=localhost", nil))
    let name = Array("localhost".utf8)
    try check(
      gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, UInt32(name.count), 0))
    try check(gnutls_x509_crt_set_basic_constraints(certificate, 1, 0))
    try check(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0))
    var text = gnutls_datum_t()
    try check(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text))
    return data(text)
  }

  private static func data(_ text: gnutls_datum_t) -> Data {
    defer { free(text.data) }
    return Data(bytes: text.data, count: Int(text.size))
  }

  static func check(_ result: Int32) throws {
    guard result >= 0 else { throw FireflyError("GnuTLS: \(String(cString: gnutls_strerror(result)))") }
  }
}

/// A client that trusts one certificate alone and talks as `priorities` say.
final class TLSClient {
  private let session: gnutls_session_t
  private let credentials: gnutls_certificate_credentials_t
  private var socket: Int32
  /// Whom the certificate must be of; the session keeps the address, not the text.
  private let name = strdup("localhost")

  /// - Throws: `FireflyError` when the server is not the certificate's, or the two have no version in common.
  init(port: Int, trusting certificate: String, priorities: String = "NORMAL") throws {
    var made: gnutls_session_t?
    try TestCertificate.check(gnutls_init(&made, 1 << 1))  // GNUTLS_CLIENT
    var list: gnutls_certificate_credentials_t?
    try TestCertificate.check(gnutls_certificate_allocate_credentials(&list))
    guard let session = made, let credentials = list else { throw FireflyError("no session") }
    self.session = session
    self.credentials = credentials
    socket = try TLSClient.connect(port)
    try TestCertificate.check(
      gnutls_certificate_set_x509_trust_file(credentials, certificate, GNUTLS_X509_FMT_PEM))
    try TestCertificate.check(gnutls_priority_set_direct(session, priorities, nil))
    try TestCertificate.check(
      gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials)))
    gnutls_session_set_verify_cert(session, name, 0)
    gnutls_transport_set_int2(session, socket, socket)
    var result = gnutls_handshake(session)
    while result < 0 && gnutls_error_is_fatal(result) == 0 { result = gnutls_handshake(session) }
    try TestCertificate.check(result)
  }

  deinit {
    gnutls_deinit(session)
    gnutls_certificate_free_credentials(credentials)
    free(name)
    close(socket)
  }

  /// As in `TLS1.3`.
  var version: String { String(cString: gnutls_protocol_get_name(gnutls_protocol_get_version(session))) }

  /// Sends a request and reads until `end` has come.
  func exchange(_ request: String, until end: String) throws -> String {
    let bytes = Array(request.utf8)
    try TestCertificate.check(Int32(clamping: gnutls_record_send(session, bytes, bytes.count)))
    var received: [UInt8] = []
    while true {
      let text = String(decoding: received, as: UTF8.self)
      if text.contains(end) { return text }
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      let count = gnutls_record_recv(session, &buffer, buffer.count)
      if count < 0 && gnutls_error_is_fatal(Int32(clamping: count)) == 0 { continue }
      guard count > 0 else { throw FireflyError("the connection ended after: \(text)") }
      received += buffer[..<count]
    }
  }

  private static func connect(_ port: Int) throws -> Int32 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: Connection.patience, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    try Connection.connect(socket, port: port)
    return socket
  }
}
