import FireflyBase
import FireflyServer
import Foundation
import Testing

/// Answers that are held to a format.
@Suite struct StructuredOutputTests {
  private static let schema =
    #"{"type": "object", "properties": {"zone": {"enum": ["a", "b"]}, "count": {"type": "integer", "minimum": 10, "maximum": 99}}, "required": ["zone", "count"], "additionalProperties": false}"#

  private func content(_ server: TestServer, _ members: String, model: String = "tiny") throws -> String {
    let body = #"{"model": "\#(model)", "messages": [{"role": "user", "content": "x"}], "max_tokens": 200, "#
    let whole = try server.client.post("/v1/chat/completions", body + members + "}")
    #expect(whole.status == 200, "\(whole.text)")
    let choice = try whole.json()["choices"]?.array?.first
    #expect(choice?["finish_reason"]?.string == "stop", "\(whole.text)")
    let text = try #require(choice?["message"]?["content"]?.string)
    let stream = try server.client.post("/v1/chat/completions", body + members + #", "stream": true}"#)
    let pieces = try stream.events().dropLast().map {
      try JSONValue.parse($0, source: "event")["choices"]?.array?.first?["delta"]?["content"]?.string ?? ""
    }
    #expect(pieces.joined() == text)
    return text
  }

  @Test(arguments: [
    #""response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": SCHEMA}}"#,
    #""response_format": {"type": "json_object", "schema": SCHEMA}"#, #""json_schema": SCHEMA"#,
    #""guided_json": SCHEMA"#, #""structured_outputs": {"json": SCHEMA}"#,
  ])
  func anAnswerIsOfTheSchemaWhoeverAsksForIt(members: String) throws {
    let server = try TestServer.tiny()
    let text = try content(server, members.replacing("SCHEMA", with: StructuredOutputTests.schema))
    let json = try JSONValue.parse(text, source: "answer")
    #expect(["a", "b"].contains(json["zone"]?.string))
    #expect((10...99).contains(json["count"]?.int ?? 0))
    #expect(json.object?.count == 2)
    // In the schema's order.
    let (zone, count) = (try #require(text.range(of: "zone")), try #require(text.range(of: "count")))
    #expect(zone.lowerBound < count.lowerBound)
  }

  @Test func otherFormats() throws {
    let server = try TestServer.tiny()
    let choice = try content(server, #""structured_outputs": {"choice": ["red", "green"]}"#)
    #expect(["red", "green"].contains(choice))
    #expect(try content(server, #""guided_choice": ["blue"], "response_format": {"type": "text"}"#) == "blue")
    for members in [
      #""structured_outputs": {"regex": "[1-9]\\d-(é|\"){1,3}"}"#,
      #""guided_regex": "^[1-9]\\d-(é|\"){1,3}$""#,
    ] {
      let text = try content(server, members)
      #expect(try /[1-9]\d-(é|"){1,3}/.wholeMatch(in: text) != nil, "\(text)")
    }
    let scripted = try TestServer.scripted(#"{"a": [1, 2]} and more"#)
    #expect(
      try content(scripted, #""response_format": {"type": "json_object"}"#, model: "m") == #"{"a": [1, 2]}"#)
    let completion = try server.client.post(
      "/v1/completions", #"{"model": "tiny", "prompt": "x", "guided_choice": ["one", "two"], "n": 3}"#)
    for answer in try completion.json()["choices"]?.array ?? [] {
      #expect(["one", "two"].contains(answer["text"]?.string))
    }
  }

  @Test(arguments: [
    (#""response_format": {"type": "xml"}"#, "response_format.type"),
    (#""response_format": "json"#, "response_format"),
    (#""structured_outputs": {"regex": "a", "choice": ["b"]}"#, "structured_outputs"),
    (#""structured_outputs": {"regex": "(a)\\1"}"#, "structured_outputs"),
    (#""guided_regex": """#, "guided_regex"),
    (#""guided_regex": "[""#, "guided_regex"), (#""guided_regex": "(?!x)x""#, "guided_regex"),
    (#""response_format": {"type": "json_schema"}"#, "response_format.json_schema"),
    (
      #""response_format": {"type": "json_schema", "json_schema": {"name": "n"}}"#,
      "response_format.json_schema.schema"
    ),
    (
      #""response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}"#,
      "response_format"
    ),
    (#""response_format": {"type": "json_object", "colour": 1}"#, "response_format.colour"),
    (
      #""response_format": {"type": "json_object", "json_schema": {"schema": {}}}"#,
      "response_format.json_schema"
    ),
    (#""response_format": {"type": "text", "schema": {}}"#, "response_format.schema"),
    (#""structured_outputs": {"grammar": "a"}"#, "structured_outputs.grammar"),
    (#""structured_outputs": {}"#, "structured_outputs"),
    (#""guided_choice": []"#, "guided_choice"), (#""guided_json": 3"#, "guided_json"),
    (#""guided_json": {}, "response_format": {"type": "json_object"}"#, "guided_json"),
  ])
  func whatIsNoFormatIsRefusedByName(members: String, parameter: String) throws {
    let server = try TestServer.scripted("x")
    let members = members.hasSuffix("\"json") ? members + "\"" : members
    let reply = try server.client.post(
      "/v1/chat/completions",
      #"{"model": "m", "messages": [{"role": "user", "content": "x"}], "# + members + "}")
    #expect(reply.status == 400)
    #expect(try reply.json()["error"]?["param"]?.string == parameter, "\(reply.text)")
  }
}
