import FireflyBase
import FireflyJinja
import Foundation
import Testing

/// The models' own templates, where this checkout stands beside them.
private let models = ["../../../shared", "../../../../shared"].lazy
  .map {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "\($0)/tokenizers").standardized.path
  }
  .first { FileManager.default.fileExists(atPath: $0) }

/// Against jinja2 in transformers' environment, character for character.
@Suite struct ReferenceTests {
  @Test func templatesRenderAsTransformersDoes() throws {
    let sources = try JSONValue.read("\(Fixtures.folder)/templates.json")
    let templates = try (sources.object ?? [:]).mapValues { try JinjaTemplate($0.string ?? "") }
    let now = try #require(Fixtures.now)
    let rows = try Fixtures.rows("renderings.jsonl")
    #expect(rows.count == templates.count * 24)
    for row in rows { try expectSame(row, templates[row["template"]?.string ?? ""], now) }
  }

  @Test(.enabled(if: models != nil, "no templates of models are at hand")) func realTemplatesToo() throws {
    let folder = try #require(models)
    let now = try #require(Fixtures.now)
    var templates: [String: JinjaTemplate] = [:]
    let rows = try Fixtures.rows("real.jsonl")
    #expect(rows.count == 2 * 18)
    for row in rows {
      let name = try #require(row["template"]?.string)
      if templates[name] == nil {
        let path = "\(folder)/\(name)"
        let text = String(decoding: try MappedFile(path).data, as: UTF8.self)
        let source = name.hasSuffix(".json") ? try JSONValue.read(path)["chat_template"]?.string : text
        templates[name] = try JinjaTemplate(try #require(source))
      }
      try expectSame(row, templates[name], now)
    }
  }

  /// What transformers rendered, or an error where it had one.
  private func expectSame(_ row: JSONValue, _ template: JinjaTemplate?, _ now: Date) throws {
    let template = try #require(template)
    let variables = Fixtures.members(try #require(row["variables"]))
    let found = Result { try template.render(variables, now: now).text.text }
    let comment: Comment = "\(row["template"]?.string ?? ""), \(row["title"]?.string ?? "")"
    guard let output = row["output"]?.string else {
      #expect(throws: FireflyError.self, comment) { try found.get() }
      return
    }
    #expect(throws: Never.self, comment) { try found.get() }
    let text = (try? found.get()) ?? ""
    #expect(
      Array(text.utf8) == Array(output.utf8),
      "\(comment): \(text.debugDescription) is not \(output.debugDescription)")
  }

  @Test func randomExpressionsAgree() throws {
    let variables = Fixtures.members(try JSONValue.read("\(Fixtures.folder)/variables.json"))
    let now = try #require(Fixtures.now)
    let rows = try Fixtures.rows("expressions.jsonl")
    #expect(rows.count == 2500)
    for row in rows {
      let source = try #require(row["source"]?.string)
      let found = Result { try JinjaTemplate(source).render(variables, now: now).text.text }
      let output = row["output"]?.string
      let text = try? found.get()
      #expect(
        text.map { Array($0.utf8) } == output.map { Array($0.utf8) },
        "\(source): \(found) is not \(output ?? "an error")")
    }
  }
}
