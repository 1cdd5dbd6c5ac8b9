import FireflyBase
import Foundation

/// A chat template in Jinja, read once and rendered often: the part of Jinja 3.1 that models' templates use, in the
/// environment that transformers gives them (`ImmutableSandboxedEnvironment`, trim_blocks, lstrip_blocks, loop controls,
/// `{% generation %}`, `raise_exception`, `strftime_now`, its own `tojson`).
///
/// Reference: Jinja's documentation (https://jinja.palletsprojects.com/en/stable/templates/) and transformers'
/// chat_template_utils. What is not supported is an error that names it.
package struct JinjaTemplate: Sendable {
  package let source: String
  /// Names the template in errors.
  package let place: String
  let statements: [Statement]

  /// - Throws: `FireflyError` with the line of what is not understood or not supported.
  package init(_ source: String, place: String = "chat_template") throws {
    self.source = source
    self.place = place
    var lexer = Lexer(source, place: place)
    var parser = Parser(try lexer.run(), place: place)
    statements = try parser.template()
  }

  /// - Parameters:
  ///   - variables: what the template can name.
  ///   - now: what `strftime_now` tells.
  /// - Throws: `FireflyError` for what the template refuses (`raise_exception`), for an error in it with its line, and when
  ///   it exceeds `limits`.
  package func render(
    _ variables: [(String, JinjaValue)], now: Date, limits: JinjaLimits = JinjaLimits()
  ) throws -> JinjaRendering {
    let interpreter = Interpreter(place: place, now: now, limits: limits)
    for (name, value) in variables { interpreter.scope.values[name] = value }
    return try interpreter.run(statements)
  }
}
