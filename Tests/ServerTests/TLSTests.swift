import FireflyBase
import FireflyServer
import FireflyTestSupport
import Foundation
import Testing

/// HTTPS: what is said to whom, and files that cannot be used.
@Suite struct TLSTests {
  private func server(_ certificate: TestCertificate) throws -> TestServer {
    try TestServer.scripted("encrypted") { $0.tls = (certificate.certificate, certificate.key) }
  }

  @Test(arguments: [("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS1.2"), ("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLS1.3")])
  func answersComeEncrypted(priorities: String, version: String) throws {
    let certificate = try TestCertificate()
    let server = try server(certificate)
    let client = try TLSClient(
      port: server.client.port, trusting: certificate.certificate, priorities: priorities)
    #expect(client.version == version)
    let health = try client.exchange("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", until: "}")
    #expect(health.hasPrefix("HTTP/1.1 200 ") && health.hasSuffix(#"{"status": "ok"}"#))
    // A stream, for which the connection is suspended and taken up again, on the same connection.
    let body = #"{"model": "m", "prompt": ">", "max_tokens": 50, "stream": true}"#
    let stream = try client.exchange(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
      until: "[DONE]")
    #expect(stream.hasPrefix("HTTP/1.1 200 "))
    let text = stream.components(separatedBy: #""text": ""#).dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(text.joined() == "encrypted")
  }

  @Test func whoIsTooOldOrDoesNotKnowTheCertificateGetsNothing() throws {
    let certificate = try TestCertificate()
    let server = try server(certificate)
    let old = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT"
    #expect(throws: FireflyError.self) {
      try TLSClient(port: server.client.port, trusting: certificate.certificate, priorities: old)
    }
    let other = try TestCertificate()
    #expect(throws: FireflyError.self) {
      try TLSClient(port: server.client.port, trusting: other.certificate)
    }
    let plain = try Connection(port: server.client.port)
    plain.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(!plain.readToEnd().contains("200"))
    // And the server still serves the others.
    let client = try TLSClient(port: server.client.port, trusting: certificate.certificate)
    #expect(try client.exchange("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", until: "}").contains("ok"))
  }

  @Test func filesThatCannotBeUsedAreToldBeforeAnythingIsServed() throws {
    let (own, other) = (try TestCertificate(), try TestCertificate())
    func expect(_ certificate: String, _ key: String, at place: String, _ what: String) {
      do {
        _ = try TestServer.scripted("x") { $0.tls = (certificate, key) }
        Issue.record("it serves with \(certificate), \(key)")
      } catch let error as FireflyError {
        #expect(error.place?.contains(place) == true && error.what.contains(what), "\(error)")
      } catch {
        Issue.record("\(error)")
      }
    }
    expect("/none/c.pem", own.key, at: "/none/c.pem", "cannot open")
    expect(own.certificate, own.key + "x", at: own.key + "x", "cannot open")
    expect(own.key, own.key, at: own.key, "not the file that TLS needs")
    expect(own.certificate, own.certificate, at: own.certificate, "not the file that TLS needs")
    expect(try own.file("empty.pem", ""), own.key, at: "empty.pem", "not the file that TLS needs")
    expect(own.certificate, other.key, at: other.key, "does not belong to the certificate")
    expect(own.certificate, try own.encryptedKey(), at: "encrypted.pem", "the key is encrypted")
    let broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n"
    expect(try own.file("broken.pem", broken), own.key, at: "broken.pem", "cannot be used")
  }
}
