import FireflyBase
import FireflyGeneration
import FireflyServer
import Foundation
import Testing

/// `/v1/embeddings`: the numbers of transformers and PEFT (tools/reference/embedding_fixtures.py), and OpenAI's forms.
@Suite struct EmbeddingTests {
  private static let fixture =
    (#filePath as NSString).deletingLastPathComponent + "/Fixtures/embeddings.json"

  private func vector(_ entry: JSONValue?) -> [Double] { entry?.array?.compactMap(\.double) ?? [] }

  private func post(_ server: TestServer, _ body: String) throws -> JSONValue {
    let reply = try server.client.post("/v1/embeddings", body)
    #expect(reply.status == 200, "\(reply.text)")
    return try reply.json()
  }

  /// The base's and an adapter's, in passes of two tokens, so that texts are read in several.
  @Test(arguments: ["mean", "last"], ["tiny", "tuned"])
  func theNumbersAreThoseOfTransformers(pooling: String, model: String) throws {
    let server = try TestServer.tiny {
      $0.pooling = pooling == "mean" ? .mean : .last
      $0.chunk = 2
    }
    let expected = try #require(try JSONValue.read(EmbeddingTests.fixture)[model]?.array)
    let texts = JSONValue.array(expected.compactMap { $0["text"] }).text()
    let answer = try post(server, #"{"model": "\#(model)", "input": \#(texts)}"#)
    let tokens = expected.reduce(0) { $0 + ($1["ids"]?.array?.count ?? 0) }
    #expect(
      answer["usage"]?["prompt_tokens"]?.int == tokens && answer["usage"]?["total_tokens"]?.int == tokens)
    #expect(answer["object"]?.string == "list" && answer["model"]?.string == model)
    let data = answer["data"]?.array ?? []
    #expect(data.map { $0["index"]?.int } == [0, 1, 2])
    for (entry, expected) in zip(data, expected) {
      let (found, wanted) = (vector(entry["embedding"]), vector(expected[pooling]))
      try #require(found.count == wanted.count && !found.isEmpty)
      for (found, wanted) in zip(found, wanted) { #expect(abs(found - wanted) <= 2e-5) }
    }
  }

  @Test func theFormsOfOpenAI() throws {
    let server = try TestServer.tiny()
    let ids = try #require(try JSONValue.read(EmbeddingTests.fixture)["tiny"]?.array?[0]["ids"]?.text())
    let text = try post(server, #"{"model": "tiny", "input": "Tom has 3 apples."}"#)
    for input in [ids, "[\(ids)]", #"["Tom has 3 apples."]"#] {
      let other = try post(server, #"{"model": "tiny", "input": \#(input), "user": "u"}"#)
      #expect(other == text, "\(input)")
    }
    let whole = vector(text["data"]?.array?[0]["embedding"])
    // Fewer dimensions: the first ones, again of length 1.
    let short = try post(server, #"{"model": "tiny", "input": "Tom has 3 apples.", "dimensions": 5}"#)
    let first = vector(short["data"]?.array?[0]["embedding"])
    let length = whole.prefix(5).reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(first.count == 5)
    for (found, wanted) in zip(first, whole) { #expect(abs(found - wanted / length) <= 1e-6) }
    // Four bytes for each, as the openai package asks for them.
    let packed = try post(
      server, #"{"model": "tiny", "input": "Tom has 3 apples.", "encoding_format": "base64"}"#)
    let data = try #require(
      (packed["data"]?.array?[0]["embedding"]?.string).flatMap { Data(base64Encoded: $0) })
    #expect(data.count == 4 * whole.count)
    for (index, wanted) in whole.enumerated() {
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[4 * index + $1]) << (8 * UInt32($1)) }
      #expect(Double(Float(bitPattern: bits)) == wanted)
    }
    #expect(try server.client.post("/embeddings", #"{"model": "tiny", "input": "x"}"#).status == 200)
  }

  @Test(arguments: [
    (#"{"model": "m"}"#, "input"), (#"{"model": "m", "input": []}"#, "input"),
    (#"{"model": "m", "input": [300]}"#, "input"),
    (#"{"model": "m", "input": [[1], "x"]}"#, "input"), (#"{"model": "none", "input": "x"}"#, "model"),
    (#"{"model": "m", "input": "x", "dimensions": 4}"#, "dimensions"),
    (#"{"model": "m", "input": "x", "dimensions": 0}"#, "dimensions"),
    (#"{"model": "m", "input": "x", "encoding_format": "hex"}"#, "encoding_format"),
    (#"{"model": "m", "input": "x", "temperature": 1}"#, "temperature"),
  ])
  func whatIsWrongIsNamed(body: String, parameter: String) throws {
    let server = try TestServer.scripted("x")
    let reply = try server.client.post("/v1/embeddings", body)
    #expect(reply.status == (parameter == "model" ? 404 : 400))
    #expect(try reply.json()["error"]?["param"]?.string == parameter, "\(reply.text)")
  }

  @Test func moreInputsAndLongerOnesThanAllowedAreRefused() throws {
    let server = try TestServer.scripted("x") { $0.answersPerRequest = 2 }
    let many = try server.client.post("/v1/embeddings", #"{"model": "m", "input": ["a", "b", "c"]}"#)
    #expect(many.status == 400 && many.text.contains("3 inputs"))
    let long = String(repeating: "x", count: 1001)
    let tooLong = try server.client.post("/v1/embeddings", #"{"model": "m", "input": "\#(long)"}"#)
    #expect(try tooLong.json()["error"]?["code"]?.string == "context_length_exceeded")
    let longest = String(repeating: "x", count: 999)  // and the token before it
    #expect(
      try server.client.post("/v1/embeddings", #"{"model": "m", "input": "\#(longest)"}"#).status == 200)
  }
}
