import FireflyBase
import FireflyTraining
import Foundation
import Testing

/// The JSON Schema of a configuration.
@Suite struct ConfigSchemaTests {
  /// What the schema accepts, for the few of its words that it has.
  private static func schemaAccepts(_ value: JSONValue, _ schema: JSONValue) -> Bool {
    if let list = schema["enum"]?.array { return list.contains(where: value.isSame) }
    if let list = schema["anyOf"]?.array { return list.contains { schemaAccepts(value, $0) } }
    let types = schema["type"]?.array ?? schema["type"].map { [$0] } ?? []
    guard types.isEmpty || types.contains(where: { isOf(value, $0.string ?? "") }) else { return false }
    if let least = schema["minimum"]?.double, let number = value.double, number < least { return false }
    if let most = schema["maximum"]?.double, let number = value.double, number > most { return false }
    if let least = schema["exclusiveMinimum"]?.double, let number = value.double, number <= least {
      return false
    }
    if let most = schema["exclusiveMaximum"]?.double, let number = value.double, number >= most {
      return false
    }
    if let least = schema["minLength"]?.int, let text = value.string, text.count < least { return false }
    if let pattern = schema["pattern"]?.string, let text = value.string,
      text.range(of: pattern, options: .regularExpression) == nil
    {
      return false
    }
    if let least = schema["minItems"]?.int, let list = value.array, list.count < least { return false }
    if let items = schema["items"], let list = value.array {
      return list.allSatisfy { schemaAccepts($0, items) }
    }
    if let properties = schema["properties"], let object = value.object {
      return object.allSatisfy { key, value in properties[key].map { schemaAccepts(value, $0) } ?? false }
        && (schema["required"]?.array ?? []).allSatisfy { $0.string.map { value[$0] != nil } ?? false }
    }
    return true
  }

  private static func isOf(_ value: JSONValue, _ type: String) -> Bool {
    switch type {
    case "null": value == .null
    case "boolean": value.bool != nil
    case "integer": value.int != nil || (value.double.map { $0 == $0.rounded() } ?? false)
    case "number": value.double != nil
    case "string": value.string != nil
    case "array": value.array != nil
    default: value.object != nil
    }
  }

  /// Each key's schema takes what its shape takes, and nothing else.
  @Test func theSchemaSaysWhatTheReaderSays() throws {
    let schema = ConfigSchema.json(.english)
    let sizes: [JSONValue] = [.string("20GiB"), .string("1.5 TB"), .string("20 giga"), .string("GiB")]
    for key in ConfigKeys.all {
      let property = try #require(schema["properties"]?[key.name])
      for value in ConfigKeysTests.samples + sizes + [key.about.example] {
        #expect(
          Self.schemaAccepts(value, property) == key.shape.accepts(value), "\(key.name): \(value.text())")
      }
      #expect(Self.schemaAccepts(.null, property) == (key.standard != .required), "\(key.name): null")
    }
  }

  @Test func theSchemaKnowsForeignKeysAndNoOthers() throws {
    let schema = ConfigSchema.json(.english)
    #expect(schema["additionalProperties"] == .bool(false))
    let properties = try #require(schema["properties"])
    for key in ["$schema", "fsdp", "run_name", "prompt_max_length"] {
      #expect(properties[key] != nil, "\(key)")
    }
    #expect(properties["cutoff_len"] == nil)
    let smoothing = try #require(properties["label_smoothing_factor"])
    #expect(Self.schemaAccepts(.double(0), smoothing) && !Self.schemaAccepts(.double(0.1), smoothing))
  }
}
