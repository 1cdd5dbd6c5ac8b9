import FireflyBase
import FireflyServer
import Foundation
import Testing

/// The pages and what they load.
@Suite struct PageTests {
  static let pages = ["/", "/run"]

  /// The paths of what a page loads by itself.
  private static func files(of page: String) -> [String] {
    page.matches(of: /(?:src|href)="(\/assets\/[^"]+)"/).map { String($0.1) }
  }

  @Test(arguments: pages) func aPageRunsNothingThatStandsInIt(_ path: String) throws {
    let server = try TestServer.scripted("x")
    let page = try server.client.get(path)
    #expect(page.headers["content-type"] == "text/html; charset=utf-8")
    #expect(page.text.hasPrefix("<!DOCTYPE html>"))
    let policy = try #require(page.headers["content-security-policy"])
    for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
      #expect(policy.contains(rule))
    }
    #expect(!policy.contains("unsafe"))
    #expect(page.headers["x-content-type-options"] == "nosniff")
    #expect(page.headers["referrer-policy"] == "no-referrer")
    #expect(page.text.ranges(of: /<script[^>]*>[^<]|<style| style=| on[a-z]+=/).isEmpty)
    #expect(page.text.ranges(of: /(src|href)="(https?:)?\/\//).isEmpty)
  }

  /// Every file that a page or a script of it names is there, under a path that changes with the content.
  @Test(arguments: pages) func allThatAPageLoadsIsThere(_ path: String) throws {
    // A key is asked for, and files are open: a page is loaded before it has one.
    let server = try TestServer.scripted("x") { $0.apiKeys = ["secret"] }
    var waiting = PageTests.files(of: try server.client.get(path).text)
    var seen: Set<String> = []
    while let file = waiting.popLast() {
      guard seen.insert(file).inserted else { continue }
      let reply = try server.client.get(file)
      #expect(reply.status == 200, "\(file)")
      #expect(reply.headers["cache-control"] == "public, max-age=31536000, immutable")
      #expect(reply.headers["x-content-type-options"] == "nosniff")
      let isScript = file.hasSuffix(".js")
      #expect(reply.headers["content-type"]?.hasPrefix("text/javascript") == isScript, "\(file)")
      if reply.headers["content-encoding"] == "gzip" { #expect(reply.body.starts(with: [0x1F, 0x8B])) }
      let folder = file.prefix(through: file.lastIndex(of: "/") ?? file.startIndex)
      waiting += reply.text.matches(of: /from "\.\/([^"]+)"/).map { "\(folder)\($0.1)" }
    }
    #expect(seen.contains { $0.wholeMatch(of: /\/assets\/[0-9a-f]{16}\/common\.js/) != nil })
  }

  @Test func anotherVersionsFilesAreNotThere() throws {
    let server = try TestServer.scripted("x")
    for path in ["/assets/0000000000000000/chat.js", "/assets/chat.js", "/assets/", "/assets/../chat.html"] {
      #expect(try server.client.get(path).status == 404, "\(path)")
    }
  }

  /// The pages tell refusals in the reader's language by their codes.
  @Test func thePagesKnowTheRefusals() throws {
    let server = try TestServer.scripted("x") { $0.apiKeys = ["secret"] }
    let page = try server.client.get("/").text
    let script = try #require(PageTests.files(of: page).first { $0.hasSuffix("/chat.js") })
    let known = try server.client.get(script.replacing("chat.js", with: "problems.js")).text
    let key = "Authorization: Bearer secret\r\n"
    let long = #"{"model": "m", "prompt": "\#(String(repeating: ">", count: 100_000))"}"#
    for reply in [
      try server.client.get("/v1/models"), try server.client.get("/nothing", headers: key),
      try server.client.get("/v1/embeddings", headers: key), try server.client.get("/tokenize", headers: key),
      try server.client.get("/health", headers: "Origin: https://evil.example\r\n"),
      try server.client.post("/v1/completions", #"{"model": "other", "prompt": ""}"#, headers: key),
      try server.client.post("/v1/completions", long, headers: key),
      try server.client.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    ] {
      let code = try #require(reply.json()["error"]?["code"]?.string)
      #expect(known.contains("\n  \(code): ["), "\(code)")
    }
  }
}
