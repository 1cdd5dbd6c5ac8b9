import FireflyBase
import FireflyServer
import Foundation
import Testing

/// Requests that are wrong or hostile: the right refusal, and a server that still answers.
@Suite struct RefusalTests {
  static let messages = #""messages": [{"role": "user", "content": "x"}]"#

  static let chats: [(String, String?)] = [
    ("", nil), ("{", nil), ("[]", nil), ("null", nil), ("\"x\"", nil), (#"{"model": "\ud800"}"#, nil),
    (#"{\#(messages)}"#, "model"), (#"{"model": 1, \#(messages)}"#, "model"),
    (#"{"model": "m"}"#, "messages"),
    (#"{"model": "m", "messages": []}"#, "messages"), (#"{"model": "m", "messages": "x"}"#, "messages"),
    (#"{"model": "m", "messages": ["x"]}"#, "messages[0]"),
    (#"{"model": "m", "messages": [{"role": "robot", "content": "x"}]}"#, "messages[0].role"),
    (#"{"model": "m", "messages": [{"role": "user"}]}"#, "messages[0].content"),
    (
      #"{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#,
      "messages[0].content[0]"
    ),
    (#"{"model": "m", "messages": [{"role": "assistant", "content": "x"}]}"#, "messages"),
    (#"{"model": "m", \#(messages), "temperature": 3}"#, "temperature"),
    (#"{"model": "m", \#(messages), "temperature": "hot"}"#, "temperature"),
    (#"{"model": "m", \#(messages), "top_p": -0.1}"#, "top_p"),
    (#"{"model": "m", \#(messages), "max_tokens": 0}"#, "max_tokens"),
    (#"{"model": "m", \#(messages), "max_tokens": 1.5}"#, "max_tokens"),
    (#"{"model": "m", \#(messages), "max_completion_tokens": 1000000}"#, "max_completion_tokens"),
    (#"{"model": "m", \#(messages), "n": 0}"#, "n"), (#"{"model": "m", \#(messages), "n": 1000000}"#, "n"),
    (#"{"model": "m", \#(messages), "stop": [1]}"#, "stop"),
    (#"{"model": "m", \#(messages), "stop": ""}"#, "stop"),
    (#"{"model": "m", \#(messages), "seed": "x"}"#, "seed"),
    (#"{"model": "m", \#(messages), "stream": 1}"#, "stream"),
    (#"{"model": "m", \#(messages), "stream_options": {}}"#, "stream_options"),
    (
      #"{"model": "m", \#(messages), "stream": true, "stream_options": {"continuous_usage_stats": true}}"#,
      "stream_options.continuous_usage_stats"
    ),
    (
      #"{"model": "m", "messages": [{"role": "user", "content": "x", "audio": {}}]}"#, "messages[0].audio"
    ), (#"{"model": "m", "messages": [{"role": "user", "content": "x", "x": 1}]}"#, "messages[0].x"),

    (#"{"model": "m", \#(messages), "logprobs": 3}"#, "logprobs"),
    (#"{"model": "m", \#(messages), "top_logprobs": 3}"#, "top_logprobs"),
    (#"{"model": "m", \#(messages), "logprobs": true, "top_logprobs": 21}"#, "top_logprobs"),
    (#"{"model": "m", \#(messages), "logit_bias": {"258": 1}}"#, "logit_bias"),
    (#"{"model": "m", \#(messages), "logit_bias": {"1": 101}}"#, "logit_bias"),
    (#"{"model": "m", \#(messages), "frequency_penalty": 2.5}"#, "frequency_penalty"),
    (#"{"model": "m", \#(messages), "tools": [{"type": "function"}]}"#, "tools[0].function"),
    (#"{"model": "m", \#(messages), "temprature": 1}"#, "temprature"),
    (#"{"model": "m", \#(messages), "reasoning_effort": "high"}"#, "reasoning_effort"),
  ]

  @Test(arguments: chats) func wrongChatsNameTheParameter(body: String, parameter: String?) throws {
    let server = try TestServer.scripted("x")
    let reply = try server.client.post("/v1/chat/completions", body)
    #expect(reply.status == 400, "\(reply.text)")
    let error = try #require(try reply.json()["error"])
    #expect(error["type"]?.string == "invalid_request_error")
    #expect(error["message"]?.string?.isEmpty == false)
    #expect(error["param"]?.string == parameter)
    #expect(error.object?.keys.sorted() == ["code", "message", "param", "type"])
    #expect(try server.client.get("/health").status == 200)
  }

  @Test(arguments: [
    (#"{"model": "m"}"#, "prompt"), (#"{"model": "m", "prompt": []}"#, "prompt"),
    (#"{"model": "m", "prompt": [[]]}"#, "prompt"), (#"{"model": "m", "prompt": [1, "a"]}"#, "prompt"),
    (#"{"model": "m", "prompt": ["a", 1]}"#, "prompt"), (#"{"model": "m", "prompt": [[1], 2]}"#, "prompt"),
    (#"{"model": "m", "prompt": [258]}"#, "prompt"), (#"{"model": "m", "prompt": [-1]}"#, "prompt"),
    (#"{"model": "m", "prompt": [99999999999]}"#, "prompt"), (#"{"model": "m", "prompt": {}}"#, "prompt"),
    (#"{"model": "m", "prompt": "x", "max_tokens": -1}"#, "max_tokens"),
    (#"{"model": "m", "prompt": "x", "logprobs": 21}"#, "logprobs"),
    (#"{"model": "m", "prompt": "x", "echo": "yes"}"#, "echo"),
    (#"{"model": "m", "prompt": "x", "n": 4, "best_of": 3}"#, "best_of"),
    (#"{"model": "m", "prompt": "x", "suffix": "y"}"#, "suffix"),
    (#"{"model": "m", "prompt": "x", "echo": true, "logprobs": 1, "stream": true}"#, "stream"),
    (#"{"model": "m", "prompt": ["a", "b"], "n": 200}"#, "prompt"),
  ])
  func wrongCompletionsNameTheParameter(body: String, parameter: String) throws {
    let server = try TestServer.scripted("x")
    let reply = try server.client.post("/v1/completions", body)
    #expect(reply.status == 400, "\(reply.text)")
    #expect(try reply.json()["error"]?["param"]?.string == parameter)
  }

  /// A message must not contradict itself: an empty list is one, and messages are counted as they were sent.
  @Test func messagesSayWhatIsWrong() throws {
    let server = try TestServer.scripted("x")
    for (messages, part) in [
      ("[]", "a list of at least one message, not an empty list"),
      (
        #"[{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"}]"#,
        "message 3"
      ),
      (#"[{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]"#, "has no text"),
    ] {
      let reply = try server.client.post("/v1/chat/completions", #"{"model": "m", "messages": \#(messages)}"#)
      #expect(reply.status == 400)
      #expect(try reply.json()["error"]?["message"]?.string?.contains(part) == true, "\(reply.text)")
    }
  }

  @Test func whatIsTooLongOrUnknownHasItsCode() throws {
    let server = try TestServer.scripted("x")
    let long = String(repeating: "x", count: 1000)
    let reply = try server.client.post("/v1/completions", #"{"model": "m", "prompt": "\#(long)"}"#)
    #expect(reply.status == 400)
    #expect(try reply.json()["error"]?["code"]?.string == "context_length_exceeded")
    let unknown = try server.client.post("/v1/completions", #"{"model": "gpt", "prompt": "x"}"#)
    #expect(unknown.status == 404)
    #expect(try unknown.json()["error"]?["code"]?.string == "model_not_found")
  }

  @Test func bytesThatAreNoTextAreRefused() throws {
    let server = try TestServer.scripted("x")
    for body in [[0xFF, 0xFE, 0x7B, 0x00], [0x22, 0xC3, 0x28, 0x22], Array("{\"a\": \"\u{0}\"}".utf8)]
      as [[UInt8]]
    {
      let reply = try server.client.send(Client.postHead("/v1/completions", body.count), body: body)
      #expect(reply.status == 400)
    }
    // Nesting must not eat the stack.
    for open in ["[", #"{"a":"#] {
      let deep = String(repeating: open, count: 200_000)
      #expect(try server.client.post("/v1/completions", deep).status == 400)
    }
    #expect(try server.client.get("/health").status == 200)
  }

  @Test(arguments: [
    "/nothing", "/v1/completions/", "//v1/completions", "/v1/../health", "/../../etc/passwd", "/health%00",
    "/%2e%2e/etc/passwd", "/v1/%6dodels", "/HEALTH", "*", "/" + String(repeating: "a", count: 5000),
  ])
  func otherPathsAreNotFound(path: String) throws {
    let server = try TestServer.scripted("x")
    #expect(try server.client.get(path).status == 404)
    #expect(try server.client.post(path, "{}").status == 404)
  }

  @Test func otherMethodsAreNotAllowed() throws {
    let server = try TestServer.scripted("x")
    for (method, path, allowed) in [
      ("GET", "/v1/completions", "POST"), ("POST", "/health", "GET"), ("DELETE", "/v1/models", "GET"),
      ("PUT", "/v1/chat/completions", "POST"), ("NONSENSE", "/", "GET"),
    ] {
      let reply = try server.client.send(
        "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
      #expect(reply.status == 405)
      #expect(reply.headers["allow"] == allowed)
    }
    #expect(try server.client.get("/?query=1").status == 200)
  }

  @Test func largeBodiesAreRefused() throws {
    let server = try TestServer.scripted("x") { $0.bodyBytes = 1000 }
    // By what is announced, before it comes; and by what comes without being announced.
    let announced = try server.client.send(Client.postHead("/v1/completions", 1 << 40))
    #expect(announced.status == 413)
    #expect(try announced.json()["error"]?["code"]?.string == "body_too_large")
    let chunk = "5dc\r\n" + String(repeating: " ", count: 1500) + "\r\n"
    let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(try server.client.send(head + chunk + "0\r\n\r\n").status == 413)
    // One that never ends is cut.
    let endless = try Connection(port: server.client.port)
    endless.send(head + String(repeating: chunk, count: 100))
    #expect(!endless.readToEnd().contains("200 OK"))
    let fits = #"{"model": "m", "prompt": ">", "max_tokens": 2}"#
    #expect(try server.client.post("/v1/completions", fits).status == 200)
  }

  @Test(arguments: [
    "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
    "GET /health HTTP/1.1\r\nContent-Length: -5\r\nHost: localhost\r\n\r\n",
    "GET /health HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nHost: localhost\r\n\r\n",
    "GET /health HTTP/1.1\r\n"
      + String(repeating: "X-Long: " + String(repeating: "y", count: 1000) + "\r\n", count: 100),
  ])
  func whatIsNotHTTPIsCutAndTheServerStays(bytes: String) throws {
    let server = try TestServer.scripted("x")
    let connection = try Connection(port: server.client.port)
    connection.send(bytes)
    connection.closeHalf()
    #expect(!connection.readToEnd().contains("200 OK"))
    #expect(try server.client.get("/health").status == 200)
  }

  /// What two servers in a row would cut in different places must not pass: the rest would be another request.
  @Test(arguments: [
    "Content-Length: 44\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 44\r\n",
    "Content-Length : 44\r\n", "Content-Length\t: 44\r\n", "Content-Length: 0\r\nContent-Length: 44\r\n",
    "Content-Length: 44\r\nContent-Length: 0\r\n", "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Content-Length: 9223372036854775808\r\n",
    "Content-Length: +44\r\n", "Content-Length: 0x2c\r\n", "Content-Length: 4 4\r\n",
  ])
  func aRequestWhoseEndIsInDoubtIsRefused(headers: String) throws {
    let server = try TestServer.scripted("x")
    let connection = try Connection(port: server.client.port)
    let hidden = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n0\r\n\r\n\(hidden)")
    connection.closeHalf()
    #expect(!connection.readToEnd().contains("200 OK"))
  }

  @Test func requestsThatDoNotComeToTheirEndAreClosed() throws {
    let server = try TestServer.scripted("x") { $0.requestTime = .milliseconds(200) }
    let half = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    for bytes in ["", "GET /hea", half] {
      let connection = try Connection(port: server.client.port)
      connection.send(bytes)
      #expect(!connection.readToEnd().contains("200 OK"))
    }
  }
}
