import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyText
import Foundation
import Testing

/// Which texts a format allows, byte by byte.
@Suite struct GrammarTests {
  private let trie = TokenTrie(ByteTokenizer(), vocabularySize: 258)

  /// Whether `text` is whole under the format: each byte is allowed where it comes, and the end where it ends.
  private func allows(_ format: TextFormat, _ text: String) throws -> Bool {
    let constraint = try format.constraint(trie)
    // Where each of the text's bytes is likeliest, the answer is the text, or less where the format ends it.
    let answer = try GrammarTests.answer(saying: text, constraint)
    return answer.text == text && answer.finishReason == .stop && answer.text.utf8.count == text.utf8.count
  }

  /// What a model says that would say `text`.
  private static func answer(saying text: String, _ constraint: TextConstraint) throws -> GenerationResult {
    let model = FunctionModel(saying: text)
    var options = greedy(400)
    options.constraint = constraint
    let request = GenerationRequest(prompt: prompt("x|"), options: options)
    return try Generator(model: model, tokenizer: ByteTokenizer()).generate([request])[0]
  }

  private func schema(_ text: String) throws -> TextFormat {
    .jsonSchema(try OrderedJSON.parse(text, source: "schema"))
  }

  @Test(
    arguments: [
      (
        #"{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}"#,
        [#"{"a":1}"#, #"{"a": 12, "b": "x"}"#, "{\n  \"a\": -5,\n  \"b\": \"é\\n\\u00e9\"\n}"],
        [
          #"{"b": "x"}"#, #"{"b": "x", "a": 1}"#, #"{"a": 1, "c": 2}"#, #"{"a": 01}"#, #"{"a": 1.5}"#,
          #"{"a": 1,}"#, "{}",
        ]
      ),
      (
        #"{"type": "object", "properties": {"a": {"type": "null"}, "b": {}, "c": {"type": "boolean"}}}"#,
        ["{}", #"{"a": null}"#, #"{"c": true}"#, #"{"a": null, "c": false}"#, #"{"b": [1, {"x": "y"}]}"#],
        [#"{"a": null "c": true}"#, #"{,"c": true}"#, #"{"c": true, "a": null}"#]
      ),
      (
        #"{"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}"#,
        ["[1, 2]", "[1.5,-2e3, 0]"], ["[1]", "[1,2,3,4]", "[1, 2,]", "[01, 2]", "[]"]
      ),
      (
        #"{"type": "string", "minLength": 2, "maxLength": 3}"#, [#""ab""#, #""abc""#, #""éé""#],
        [#""a""#, #""abcd""#]
      ),
      (#"{"enum": ["red", 5, null, {"a": 1}]}"#, [#""red""#, "5", "null", #"{"a": 1}"#], ["6", #""blue""#]),
      (#"{"const": "x\"y"}"#, [#""x\"y""#], [#""x""#]),
      (
        #"{"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t", "default": null}"#,
        [#""""#, "null"], ["1"]
      ),
      (#"{"type": ["integer", "null"]}"#, ["null", "-7"], ["true", "1.0"]),
      (
        #"{"type": "integer", "minimum": -12, "exclusiveMaximum": 106}"#,
        ["-12", "-1", "0", "7", "99", "105"], ["-13", "106", "-0", "1000"]
      ),
      (#"{"type": "integer", "minimum": 3}"#, ["3", "9", "10", "123456"], ["2", "-3", "0"]),
      (
        #"{"type": "string", "format": "date-time"}"#,
        [#""2024-02-28T23:59:59Z""#, #""1999-12-31T00:00:00.5+02:00""#],
        [#""2024-02-30T00:00:00Z""#, #""2024-04-31T00:00:00Z""#, #""today""#]
      ),
      (
        #"{"type": "object", "additionalProperties": {"type": "integer"}}"#, ["{}", #"{"x": 1, "y": 2}"#],
        [#"{"x": "1"}"#]
      ),
      (#"{"type": "object", "additionalProperties": false}"#, ["{}"], [#"{"x": 1}"#]),
      (
        ##"{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"l": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}}, "required": ["l"]}}}"##,
        [#"{"l": {"l": null}}"#], [#"{"l": {}}"#]
      ),
      (
        #"{"oneOf": [{"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]}, {"type": "object", "properties": {"k": {"const": "b"}, "v": {"type": "integer"}}, "required": ["k", "v"]}]}"#,
        [#"{"k": "a"}"#, #"{"k": "b", "v": 1}"#], [#"{"k": "b"}"#]
      ),
    ] as [(String, [String], [String])])
  func aSchemaAllows(schema text: String, right: [String], wrong: [String]) throws {
    let format = try schema(text)
    for text in right { #expect(try allows(format, text), "\(text)") }
    for text in wrong { #expect(try !allows(format, text), "\(text)") }
  }

  @Test func anyObjectIsJSON() throws {
    for text in [
      "{}", #"{"a": [1, -2.5e-7, "x\\\"😀", true, null, {"b": []}]}"#, #"{"\ud83d\ude00": "\u00E9"}"#,
    ] {
      #expect(try allows(.jsonObject, text), "\(text)")
    }
    for text in [
      "[]", "1", #"{"a"}"#, #"{a: 1}"#, "{\"a\": \"\n\"}", #"{"a": "\ud83d"}"#, "{} x", #"{"a": .5}"#,
    ] {
      #expect(try !allows(.jsonObject, text), "\(text)")
    }
  }

  /// Whatever a model wants to say, what it says is of the format.
  @Test func aModelThatSaysSomethingElseIsHeldToIt() throws {
    let object = try schema(
      #"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "maximum": 99, "minimum": 0}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}}, "required": ["name", "age", "tags"]}"#
    )
    for seed in 0..<12 {
      let model = FunctionModel { sequence in
        var state = UInt64(seed) &* 0x9E37_79B9 &+ UInt64(sequence.count) &* 0x85EB_CA6B &+ 1
        return (0..<258).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Float(state >> 40) / Float(1 << 24) * 8
        }
      }
      var options = greedy(400)
      options.sampling.temperature = seed.isMultiple(of: 2) ? 0 : 1
      options.constraint = try object.constraint(trie)
      let result = try Generator(model: model, tokenizer: ByteTokenizer()).generate([
        GenerationRequest(prompt: prompt("x"), options: options)
      ])[0]
      #expect(result.finishReason == .stop)
      let json = try JSONValue.parse(result.text, source: "answer")
      #expect(json.object?.keys.sorted() == ["age", "name", "tags"])
      #expect((0...99).contains(json["age"]?.int ?? -1))
      #expect((json["name"]?.string?.unicodeScalars.count ?? 9) <= 5)
      #expect((json["tags"]?.array ?? []).allSatisfy { ["a", "b"].contains($0.string) })
    }
  }

  @Test(arguments: [
    (#"[a-c]+\d{2,3}"#, ["a12", "abc123"], ["a1", "12", "d12", "xa12", "a1234"]),
    (#"é"|\\n|.\u{1F600}"#, [#"é""#, #"\n"#, "x😀"], ["é", "\n", "\n😀"]),
    (#"^(?!no)\w+$"#, ["yes", "n"], ["no", "nope", ""]), ("x*", ["", "xxx"], ["y"]),
  ])
  func anExpressionDescribesTheWholeText(expression: String, right: [String], wrong: [String]) throws {
    for text in right { #expect(try allows(.expression(expression), text), "\(text)") }
    for text in wrong { #expect(try !allows(.expression(expression), text), "\(text)") }
  }

  @Test(arguments: ["(?=.b)-c", "a[]", "(?!x)x"]) func aFormatWithoutATextIsRefused(expression: String) {
    let error = #expect(throws: FireflyError.self) { try TextFormat.expression(expression).constraint(trie) }
    #expect(error?.description.contains("no text is of the format") == true)
  }

  @Test func oneOfSeveralTexts() throws {
    let format = TextFormat.oneOf(["yes", "yesterday", "no"])
    for text in ["yes", "yesterday", "no"] { #expect(try allows(format, text)) }
    for text in ["maybe", "yest"] { #expect(try !allows(format, text)) }
    // Ends by itself where nothing can follow.
    let constraint = try format.constraint(trie)
    #expect(try GrammarTests.answer(saying: "no way", constraint).ids.count == 2)
  }

  @Test(arguments: [
    (#"{"type": "string", "pattern": "(a(?=b))*"}"#, "(?="), (#"{"pattern": "(?=a)b"}"#, "no value"),
    (#"{"pattern": "^(?=a)(?<!b)a"}"#, "behind"), (#"{"pattern": "^(?=a)*a"}"#, "(?="),
    (#"{"pattern": "a\\b"}"#, "\\b"),
    (#"{"pattern": "(a)\\1"}"#, "\\1"), (#"{"pattern": "a(^b)"}"#, "^"),
    (#"{"pattern": "(a"}"#, "without an end"),
    (#"{"pattern": "a**"}"#, "twice"), (#"{"pattern": "[b-a]"}"#, "[-]"), (#"{"pattern": "\\p{L}"}"#, "\\p"),
    (#"{"pattern": "^(a|b.{9}){9}$", "maxLength": 500, "minLength": 70}"#, "too large"),
    (#"{"type": "array", "uniqueItems": true}"#, "uniqueItems"),
    (#"{"items": {"type": "string"}, "uniqueItems": true}"#, "uniqueItems"),
    (#"{"items": {"enum": [1, 2]}, "uniqueItems": true, "minItems": 3}"#, "different items"),
    (#"{"type": "number", "multipleOf": 0}"#, "multipleOf"),
    (#"{"type": "number", "multipleOf": 123457}"#, "multipleOf"),
    (#"{"type": "object", "minProperties": 2}"#, "minProperties"),
    (#"{"properties": {"a": {}}, "minProperties": 2}"#, "no value"),
    (#"{"not": {"format": "date"}}"#, "format"), (#"{"not": {"const": [1]}}"#, "lists"),
    (#"{"if": {"oneOf": [{}]}, "then": {}}"#, "oneOf"), (#"{"dependentRequired": []}"#, "dependentRequired"),
    (#"{"propertyNames": {"anyOf": [{"minLength": 1}, {"pattern": "a"}]}}"#, "propertyNames"),
    (#"{"unevaluatedProperties": false}"#, "unevaluatedProperties"),
    (#"{"contains": {}, "maxContains": 0}"#, "maxContains"),
    (#"{"const": 1, "not": {"type": "integer"}}"#, "none of the schema's values"),
    (#"{"type": "number", "minimum": 1, "exclusiveMaximum": 1}"#, "bounds"), (#"{"not": {}}"#, "not"),
    (#"{"type": "number", "minimum": 1e300}"#, "15 digits"),
    (#"{"type": "text"}"#, "type"),
    (
      #"{"properties": {"a": {"patternProperties": {"a": {}, "b": {}, "c": {}, "d": {}, "e": {}}}}}"#,
      "patternProperties"
    ),
    (#"{"required": ["a"], "additionalProperties": false}"#, "required"),
    (#"{"allOf": [{"type": "string"}, {"type": "integer"}]}"#, "different types"),
    (#"{"allOf": [{"pattern": "a"}, {"pattern": "b"}]}"#, "pattern"),
    (##"{"allOf": [{"$ref": "#"}, {"type": "null"}]}"##, "itself"),
    (#"{"prefixItems": [{}], "items": false, "minItems": 2}"#, "minItems"),
    (#"{"type": "string", "enum": [1]}"#, "values"),
    (#"{"$ref": "other.json"}"#, "$ref"),
    (##"{"$ref": "#/$defs/x"}"##, "$ref"), (#"{"enum": []}"#, "enum"), (#"{"allOf": []}"#, "allOf"),
    (#"{"oneOf": [{"type": "integer"}, {"type": "number"}]}"#, "oneOf"),
    (#"{"type": "string", "maxLength": -1}"#, "maxLength"),
    (#"{"type": "array", "minItems": 3, "maxItems": 2}"#, "maxItems"),
    (#"{"type": "string", "minLength": 1000000}"#, "minLength"),
    (#"{"type": "integer", "minimum": 5, "maximum": 4}"#, "bounds"),
    (##"{"anyOf": [{"$ref": "#"}, {"type": "null"}]}"##, "itself"),
    (
      #"{"type": "array", "items": {"type": "array", "items": {"type": "string", "maxLength": 60000}, "maxItems": 60000}}"#,
      "too large"
    ),
  ])
  func whatIsNotSupportedIsNamed(text: String, name: String) throws {
    let format = try schema(text)
    let error = #expect(throws: FireflyError.self) { try format.constraint(trie) }
    #expect(error.map { "\($0)" }?.contains(name) == true, "\(String(describing: error))")
  }

  /// A format is a remark unless it can be held to; the remark that is not held to is told.
  @Test func aFormatThatIsNotHeldToIsTold() throws {
    let format = try schema(#"{"properties": {"a": {"format": "hostname"}, "b": {"format": "date"}}}"#)
    let notes = try format.constraint(trie).notes
    #expect(notes.count == 1 && notes[0].contains("hostname") && notes[0].contains("properties.a"))
  }

  @Test func aSchemaOfHostileSizeCostsLittle() throws {
    // Merged with itself at each turn of the circle.
    let circle =
      ##"{"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"n": {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]}}}, "b": {"properties": {"n": {"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/a"}, {"properties": {"m": {"$ref": "#/$defs/a"}}}]}}}}}"##
    _ = Result { try schema(circle).constraint(trie) }
    let deep =
      String(repeating: #"{"type": "array", "items": "#, count: 200) + "{}"
      + String(repeating: "}", count: 200)
    #expect(throws: FireflyError.self) { try schema(deep).constraint(trie) }
    let many = (0..<20_000).map { #""k\#($0)": {}"# }.joined(separator: ",")
    #expect(throws: FireflyError.self) { try schema(#"{"properties": {\#(many)}}"#).constraint(trie) }
    // A name that refers to two others, which refer to two others, and so on.
    let doubled = (0..<30).map {
      ##""d\##($0)": {"properties": {"a": {"$ref": "#/$defs/d\##($0 + 1)"}, "b": {"$ref": "#/$defs/d\##($0 + 1)"}}}"##
    }.joined(separator: ",")
    _ = try schema(##"{"$ref": "#/$defs/d0", "$defs": {\##(doubled), "d30": {"type": "null"}}}"##).constraint(
      trie)
  }
}
