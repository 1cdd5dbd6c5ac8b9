import FireflyBase
import FireflyServer
import Foundation
import Testing

/// Who may come, how many, for how long; and how it ends.
@Suite struct LifeTests {
  static let stream = #"{"model": "m", "prompt": ">", "max_tokens": 50, "stream": true}"#
  static let whole = #"{"model": "m", "prompt": ">", "max_tokens": 50}"#

  /// Sends a request without waiting for its answer.
  func begin(_ server: TestServer, _ body: String) throws -> Connection {
    let connection = try Connection(port: server.client.port)
    connection.send(Client.postHead("/v1/completions", body.utf8.count) + body)
    return connection
  }

  @Test func healthAndMetrics() throws {
    let server = try TestServer.scripted("x")
    #expect(try server.client.get("/health").json() == .object(["status": .string("ok")]))
    let metrics = try server.client.get("/metrics").text
    for line in metrics.split(separator: "\n") where !line.hasPrefix("#") {
      #expect(line.wholeMatch(of: /firefly_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+/) != nil)
    }
    #expect(metrics.contains(#"firefly_http_responses_total{path="/health",status="200"} 1"#))
  }

  @Test(arguments: [stream, whole]) func aClientThatGoesAwayFreesItsPlace(body: String) throws {
    let gate = Gate()
    let server = try TestServer.scripted("hello", gate: gate) { $0.rows = 1 }
    let gone = try begin(server, body)
    gate.allow(2)  // one for the prompt, one for the first token
    if body == Self.stream { try gone.read(until: "\"h\"") }
    let next = try begin(server, Self.whole)
    gone.close()
    // The engine stands in its second pass meanwhile.
    #expect(try server.client.waits(for: "clients_gone_total", toBe: 1))
    gate.open()
    #expect(try next.response().json()["choices"]?.array?.first?["text"]?.string == "hello")
    #expect(try server.client.metric("answers_cancelled_total") == 1)
    #expect(try server.client.metric("answers_running") == 0)
    // At most two tokens of the one, six of the other.
    #expect((try server.client.metric("generated_tokens_total") ?? 99) <= 8)
  }

  @Test func aFullQueueIsRefused() throws {
    let gate = Gate()
    let server = try TestServer.scripted("hello", gate: gate) {
      $0.rows = 1
      $0.queue = 1
    }
    let first = try begin(server, Self.stream)
    gate.allow(2)  // one for the prompt, one for the first token
    try first.read(until: "\"h\"")
    let second = try begin(server, Self.whole)
    #expect(try server.client.waits(for: "answers_waiting", toBe: 1))
    let refused = try server.client.post("/v1/completions", Self.stream)
    #expect(refused.status == 429)
    #expect(refused.headers["retry-after"] == "1")
    #expect(try refused.json()["error"]?["code"]?.string == "queue_full")
    gate.open()
    #expect(try second.response().status == 200)
  }

  @Test func anAnswerHasItsTime() throws {
    let server = try TestServer.scripted("hello") { $0.answerTime = .zero }
    let reply = try server.client.post("/v1/completions", Self.whole)
    #expect(reply.status == 504)
    #expect(try reply.json()["error"]?["code"]?.string == "request_timeout")
    let stream = try server.client.post("/v1/completions", Self.stream)
    #expect(stream.events().last?.contains("request_timeout") == true)
  }

  @Test func keysAreAskedFor() throws {
    let server = try TestServer.scripted("x") { $0.apiKeys = ["secret", "other"] }
    for header in [
      "", "Authorization: Bearer wrong\r\n", "Authorization: Bearer secre\r\n",
      "Authorization: Bearer secretsecret\r\n", "Authorization: secret\r\n", "Authorization: Bearer \r\n",
    ] {
      let reply = try server.client.post("/v1/completions", Self.whole, headers: header)
      #expect(reply.status == 401)
      #expect(try reply.json()["error"]?["code"]?.string == "invalid_api_key")
    }
    for key in ["secret", "other"] {
      let header = "Authorization: Bearer \(key)\r\n"
      #expect(try server.client.post("/v1/completions", Self.whole, headers: header).status == 200)
      #expect(try server.client.get("/v1/models", headers: header).status == 200)
    }
    #expect(try server.client.get("/metrics").status == 401)
    #expect(try server.client.get("/health").status == 200)
    #expect(try server.client.get("/").status == 200)
  }

  @Test func foreignPagesMayNotUseIt() throws {
    let server = try TestServer.scripted("x") { $0.allowedOrigins = ["https://friend.example"] }
    func post(_ origin: String) throws -> Reply {
      try server.client.post("/v1/completions", Self.whole, headers: "Origin: \(origin)\r\n")
    }
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
      let reply = try post(origin)
      #expect(reply.status == 403)
      #expect(try reply.json()["error"]?["message"]?.string?.contains("--allow-origin \(origin)") == true)
      #expect(reply.headers["access-control-allow-origin"] == nil)
    }
    #expect(try post("http://localhost").status == 200)  // its own: the Host of `post`
    let friend = try post("https://friend.example")
    #expect(friend.status == 200)
    #expect(friend.headers["access-control-allow-origin"] == "https://friend.example")
    let preflight = try server.client.send(
      "OPTIONS /v1/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://friend.example\r\n\r\n")
    #expect(preflight.status == 204)
    #expect(preflight.headers["access-control-allow-headers"]?.contains("Authorization") == true)
  }

  /// A page of elsewhere whose name has been given this machine's address is the server's own to a browser.
  @Test func onlyItsOwnNamesReachAServerOfThisMachine() throws {
    let server = try TestServer.scripted("x") { $0.allowedOrigins = ["https://friend.example"] }
    func status(_ host: String, _ origin: String = "") throws -> Int {
      try server.client.send("GET /v1/models HTTP/1.1\r\nHost: \(host)\r\n\(origin)\r\n").status
    }
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:80", "[::1]:80", "192.168.1.2", "friend.example"] {
      #expect(try status(host) == 200, "\(host)")
    }
    for host in [
      "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "[", "",
    ] {
      #expect(try status(host) == 403, "\(host)")
      #expect(try status(host, "Origin: http://\(host)\r\n") == 403)
    }
  }

  /// One that others reach has the names that it was given, its machine's, and no more.
  @Test func aServerOfOthersSaysHowToNameIt() throws {
    let wide = try TestServer.scripted("x") {
      $0.host = "0.0.0.0"
      $0.hostNames = ["Box.example"]
    }
    func ask(_ host: String) throws -> Reply {
      try wide.client.send("GET /v1/models HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }
    for host in ["box.example:8000", "10.0.0.7", ProcessInfo.processInfo.hostName] {
      #expect(try ask(host).status == 200, "\(host)")
    }
    let refused = try ask("evil.example")
    #expect(refused.status == 403)
    let error = try refused.json()["error"]
    #expect(error?["code"]?.string == "host_not_allowed")
    #expect(error?["message"]?.string?.contains("--host-name evil.example") == true)
    let open = try TestServer.scripted("x") { $0.allowedOrigins = ["*"] }
    #expect(try open.client.send("GET /health HTTP/1.1\r\nHost: any.example\r\n\r\n").status == 200)
  }

  @Test func stoppingEndsStreamsAndCloses() throws {
    let gate = Gate()
    let server = try TestServer.scripted("hello", gate: gate)
    let open = try begin(server, Self.stream)
    gate.allow(2)  // one for the prompt, one for the first token
    try open.read(until: "\"h\"")
    let stopped = DispatchSemaphore(value: 0)
    Thread {
      server.server.stop()
      stopped.signal()
    }.start()
    gate.open()
    #expect(open.readToEnd().contains("[DONE]"))
    stopped.wait()
    #expect(throws: FireflyError.self) { try Connection(port: server.client.port) }
  }

  @Test func aTakenPortIsAnError() throws {
    let server = try TestServer.scripted("x")
    let error = #expect(throws: FireflyError.self) {
      try TestServer.scripted("y") { $0.port = server.client.port }
    }
    #expect(error?.place == "127.0.0.1:\(server.client.port)")
    #expect(throws: FireflyError.self) { try TestServer.scripted("y") { $0.host = "no.such.host.invalid" } }
  }
}
