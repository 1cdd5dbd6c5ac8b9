import FireflyBase
import FireflyJinja
import Foundation
import Testing

private func render(
  _ source: String, _ variables: [(String, JinjaValue)] = [], limits: JinjaLimits = JinjaLimits()
) throws -> JinjaRendering {
  try JinjaTemplate(source, place: "t").render(variables, now: Date(timeIntervalSince1970: 0), limits: limits)
}

/// What is wrong, not supported or too much is told with its line.
@Suite struct LimitTests {
  @Test(arguments: [
    ("a\n{% block x %}{% endblock %}", "t:2", "the tag \"block\""),
    ("{{ 1 }}\n\n{{ x|urlize }}", "t:3", "the filter \"urlize\""),
    ("{{ x is sorted }}", "t:1", "the test \"sorted\""),
    ("{% for x in y recursive %}{% endfor %}", "t:1", "recursive"),
    ("{{ f(*a) }}", "t:1", "* and **"), ("{% if x %}\n", "t:1", "found the end"),
    ("\n{{ x ", "t:2", "does not end"),
    ("{# x", "t:1", "comment does not end"), ("{{ 'x }}", "t:1", "string does not end"),
    ("{{ 1 $ 2 }}", "t:1", "unexpected character"),
    ("{{ x.y.z }}", "t:1", "\"x\" is undefined"), ("{{ [].x.y }}", "t:1", "no member \"x\""),
    ("{{ x() }}", "t:1", "not there"),
    ("{{ [1].append(2) }}", "t:1", "must not change"),
    ("\n{{ raise_exception('no ' ~ 'way') }}", "t:2", "no way"),
    ("{% set x.y = 1 %}", "t:1", "namespace"), ("{% set a, b = [1] %}", "t:1", "unpack"),
    ("{{ 1 // 0 }}", "t:1", "division by zero"),
    ("{{ 99999999999999999999 }}", "t:1", "not supported"),
    ("{{ 9223372036854775807 + 1 }}", "t:1", "too large"),
    ("{{ (-9223372036854775807 - 1) // -1 }}", "t:1", "too large"),
    ("{% raw %}x", "t:1", "raw block"), ("{{ (1 }}", "t:1", "unexpected"),
    ("{{ range(1000000) }}", "t:1", "too long"),
  ])
  func errorsHaveAPlace(_ source: String, _ place: String, _ what: String) {
    let error = #expect(throws: FireflyError.self) { try render(source) }
    #expect(error?.place == place)
    #expect(error?.description.contains(what) == true, "\(error?.description ?? "")")
  }

  @Test func stepsAreBounded() {
    var limits = JinjaLimits()
    limits.steps = 10_000
    let source = "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}"
    let error = #expect(throws: FireflyError.self) { try render(source, limits: limits) }
    #expect(error?.what == "the chat template does not end")
  }

  @Test(arguments: [
    "{% for i in range(99) %}0123456789{% endfor %}", "{{ 'x' * 1000 }}", "{{ ['0123456789'] * 50 | join }}",
    "{% set ns = namespace(x='0123456789') %}{% for i in range(9) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{{ ('x' * 90)|replace('x', '0123456789') }}", "{{ 'x'|indent(1000, true) }}", "{{ 'x'.zfill(1000) }}",
    "{{ (['0123456789'] * 50)|join }}",
  ])
  func sizesAreBounded(_ source: String) {
    var limits = JinjaLimits()
    limits.bytes = 300
    #expect(throws: FireflyError.self) { try render(source, limits: limits) }
  }

  /// Before memory is taken for it.
  @Test func noTextIsLongerThanModelsRead() {
    let error = #expect(throws: FireflyError.self) { try render("{{ 'a' * 17000000 }}") }
    #expect(error?.what == "the chat template makes too long a text")
    #expect(error?.expected == "at most 16777216 bytes")
  }

  @Test(arguments: [
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}",
    "{{ " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000) + " }}",
    "{{ " + String(repeating: "1 + ", count: 5000) + "1 }}",
    "{{ x" + String(repeating: ".y", count: 200_000) + " }}",
    "{{ x" + String(repeating: "[0]", count: 200_000) + " }}",
    "{{ x" + String(repeating: "|trim", count: 200_000) + " }}",
    String(repeating: "{% if 1 %}", count: 5000) + String(repeating: "{% endif %}", count: 5000),
  ])
  func depthIsBounded(_ source: String) {
    #expect(throws: FireflyError.self) { try render(source) }
  }

  /// Long texts are work too, and so are loops within loops.
  @Test(arguments: [
    "{{ ('a' * 200000000) | list | length }}",
    "{% for i in range(1000) %}{% for j in range(1000) %}{% for k in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% set s = 'ab' * 100000 %}{% for i in range(1000) %}{{ s.upper() | length }}{% endfor %}",
  ])
  func hostileTemplatesEnd(_ source: String) {
    var limits = JinjaLimits()
    limits.steps = 20_000
    #expect(throws: FireflyError.self) { try render(source, limits: limits) }
  }

  @Test func membersAreBounded() {
    let source =
      "{% set ns = namespace(x=[1]) %}{% for i in range(30) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
    let error = #expect(throws: FireflyError.self) { try render(source) }
    #expect(error?.what == "the chat template makes too large a value")
  }
}

/// Something of the caller's, to see whether it is let go.
private final class Probe: JinjaObject {
  let kind = "probe"
  func attribute(_ name: String) -> JinjaValue? { nil }
}

/// A server renders as long as it runs.
@Suite struct MemoryTests {
  @Test(arguments: [
    "{% macro m() %}{{ x }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% for i in [1, 2] %}{% call m() %}{{ x }}{% endcall %}{% endfor %}",
    "{% set ns = namespace(x=x) %}{% macro m() %}{% endmacro %}{% set ns.m = m %}",
    "{% for i in [x] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m() %}{{ x }}{% endmacro %}{{ raise_exception('stop') }}",
  ])
  func aRenderingKeepsNothing(_ source: String) {
    weak var probe: Probe?
    do {
      let object = Probe()
      probe = object
      _ = try? render(source, [("x", .object(object))])
    }
    #expect(probe == nil)
  }
}

/// Marks follow a text through whatever a template does with it.
@Suite struct MarkTests {
  private func marked(_ expression: String) throws -> String {
    let value = JinjaValue.string(MarkedText(" a,b <x>c\n", source: 7))
    let text = try render("[{{ \(expression) }}]", [("m", value)]).text
    return text.marks.map { mark in
      #expect(mark.source == 7)
      return text.slice(mark.range).text
    }.joined(separator: "|")
  }

  @Test(arguments: [
    ("m", " a,b <x>c\n"), ("m|trim", "a,b <x>c"), ("m.strip() ~ '!'", "a,b <x>c"),
    ("'- ' + m.split('<x>')[-1]", "c\n"),
    ("m.split(',')|join('+')", " a|b <x>c\n"), ("m[1:4]", "a,b"), ("m.replace('b', 'B')", " a,| <x>c\n"),
    ("m|upper", " A,B <X>C\n"),
    ("m.lstrip()|indent(2)", "a,b <x>c"), ("(m|list)[1]", "a"), ("'%s!' % m", " a,b <x>c\n"),
    ("m|length", ""), ("[m]", "[' a,b <x>c\\n']"),
    ("{'k': m, 'n': 2}|tojson", #"" a,b <x>c\n""#),
  ])
  func follow(_ expression: String, _ expected: String) throws {
    #expect(try marked(expression) == expected)
  }

  @Test func blocksAndMacrosKeepThem() throws {
    let value = JinjaValue.string(MarkedText("x", source: 1))
    let source = "{% macro f(a) %}<{{ a }}>{% endmacro %}{% set b %}({{ m }}){% endset %}{{ f(m) }}{{ b }}"
    let text = try render(source, [("m", value)]).text
    #expect(text.text == "<x>(x)")
    #expect(text.marks.map(\.range) == [1..<2, 4..<5])
  }

  @Test func generationBlocksAreReported() throws {
    let rendering = try render(
      "a{% generation %}b{{ 'ü' }}{% endgeneration %}c{% generation %}{% endgeneration %}")
    #expect(rendering.text.text == "abüc")
    #expect(rendering.generations == [1..<4])
  }
}
