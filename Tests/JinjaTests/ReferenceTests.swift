import FireflyBase
import FireflyJinja
import Foundation
import Testing

/// Against jinja2 in transformers' environment, character for character.
@Suite struct ReferenceTests {
  @Test func templatesRenderAsTransformersDoes() throws {
    let sources = try JSONValue.read("\(Fixtures.folder)/templates.json")
    let templates = try (sources.object ?? [:]).mapValues { try JinjaTemplate($0.string ?? "") }
    let now = try #require(Fixtures.now)
    let rows = try Fixtures.rows("renderings.jsonl")
    #expect(rows.count == templates.count * 30)
    for row in rows { try expectSame(row, templates[row["template"]?.string ?? ""], now) }
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
