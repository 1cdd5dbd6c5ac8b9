import FireflyBase
import Foundation
import Testing

/// Only who has the address's token gets in, and no page of elsewhere.
@Suite struct AccessTests {
  @Test func theAddressLetsItsReaderIn() throws {
    let bench = try StudioBench()
    #expect(bench.token.count == 64)
    let host = "Host: 127.0.0.1:\(bench.port)\r\n"
    let entry = try bench.send("GET /open/\(bench.token)", headers: host)
    #expect(entry.status == 303)
    #expect(entry.headers.contains("Location: /\r\n"))
    #expect(
      entry.headers.contains(
        "Set-Cookie: firefly-studio-\(bench.port)=\(bench.token); Path=/; HttpOnly; SameSite=Strict"))
    let page = try bench.send(
      "GET /", headers: host + "Cookie: other=1; firefly-studio-\(bench.port)=\(bench.token)\r\n")
    #expect(page.status == 200 && page.text.contains("studio.js"))
    #expect(page.headers.contains("script-src 'self'") && !page.headers.contains("unsafe-inline"))
    #expect(!page.text.contains("<style") && page.text.ranges(of: "<script").count == 1)
    let key = try bench.send(
      "POST /api/runs", headers: host + "Authorization: Bearer \(bench.token)\r\n", body: "{}")
    #expect(key.status == 200)
  }

  @Test(arguments: ["/", "/studio.js", "/open/0123456789abcdef", "/open/", "/open/../"])
  func withoutTheTokenNothingIsShown(path: String) throws {
    let bench = try StudioBench()
    let reply = try bench.send("GET \(path)", headers: "Host: 127.0.0.1:\(bench.port)\r\n")
    #expect(reply.status == 403)
    #expect(try reply.code() == "token_missing")
    #expect(!reply.text.contains(bench.token))
  }

  @Test func aWrongTokenIsRefused() throws {
    let bench = try StudioBench()
    let host = "Host: 127.0.0.1:\(bench.port)\r\n"
    let wrong = String(bench.token.reversed())
    for headers in [
      "", "Cookie: firefly-studio-\(bench.port)=\(wrong)\r\n", "Cookie: firefly-studio-1=\(bench.token)\r\n",
      "Cookie: firefly-studio-\(bench.port)=\r\n", "Authorization: Bearer \(wrong)\r\n",
    ] {
      let reply = try bench.send("POST /api/runs", headers: host + headers, body: "{}")
      #expect(reply.status == 403, "\(headers)")
    }
  }

  @Test func pagesOfElsewhereAreRefused() throws {
    let bench = try StudioBench()
    let cookie = "Cookie: firefly-studio-\(bench.port)=\(bench.token)\r\n"
    for origin in ["https://example.org", "http://127.0.0.1:1", "null"] {
      let reply = try bench.send(
        "POST /api/runs", headers: cookie + "Host: 127.0.0.1:\(bench.port)\r\nOrigin: \(origin)\r\n",
        body: "{}")
      #expect(reply.status == 403, "\(origin)")
      #expect(try reply.code() == "origin_not_allowed")
    }
    let renamed = try bench.send("POST /api/runs", headers: cookie + "Host: example.org\r\n", body: "{}")
    #expect(renamed.status == 403)
    #expect(try renamed.code() == "host_not_allowed")
    let own = try bench.send(
      "POST /api/runs",
      headers: cookie + "Host: 127.0.0.1:\(bench.port)\r\nOrigin: http://127.0.0.1:\(bench.port)\r\n",
      body: "{}")
    #expect(own.status == 200)
  }

  @Test func whatIsNotThereIsSaid() throws {
    let bench = try StudioBench()
    #expect(try bench.ask("nothing").status == 404)
    let cookie = "Host: localhost\r\nCookie: firefly-studio-\(bench.port)=\(bench.token)\r\n"
    #expect(try bench.send("GET /api/runs", headers: cookie).status == 405)
    #expect(try bench.send("GET /../etc/passwd", headers: cookie).status == 404)
    #expect(try bench.send("POST /api/runs", headers: cookie, body: "[]").status == 400)
  }

  /// The page says its language with each request.
  @Test func errorsAreInThePagesLanguage() throws {
    let bench = try StudioBench()
    let own = "Host: localhost\r\nCookie: firefly-studio-\(bench.port)=\(bench.token)\r\n"
    for (language, text) in [("zh", "请求不是 JSON 对象。"), ("en", "The request is no JSON object.")] {
      let reply = try bench.send(
        "POST /api/runs", headers: own + "Accept-Language: \(language)\r\n", body: "[]")
      #expect(try reply.json()["error"]?["message"]?.string == text)
    }
  }
}
