import FireflyBase
import FireflyJinja

extension Row {
  /// The tools that the row describes, in `tools` or in OpenAI's older `functions`: a list, or its JSON text; nil when it says
  /// nothing of tools.
  ///
  /// - Parameter wrapsFunctions: whether a function alone, `{"name": …}`, is put into OpenAI's
  ///   `{"type": "function", "function": …}`. Functions of a JSON text, which is what trainers with columns have, always are.
  func tools(wrapsFunctions: Bool) throws -> [OrderedJSON]? {
    if let functions = self["functions"] { return try toolList(functions, "functions", wraps: true) }
    guard let tools = self["tools"] else { return nil }
    guard let text = tools.string else { return try toolList(tools, "tools", wraps: wrapsFunctions) }
    guard !text.strippedAsPython.isEmpty else { return nil }
    let list = try toolList(parsed(text, "tools"), "tools", wraps: true)
    return list.isEmpty ? nil : list
  }

  private func toolList(_ value: OrderedJSON, _ key: String, wraps: Bool) throws -> [OrderedJSON] {
    let items = value.array ?? (value.object == nil ? nil : [value])
    guard let items else { throw wrong(key, expected: "a list of objects", found: value.kind) }
    return try items.enumerated().map { index, item in
      let tool = try item.string.map { try parsed($0, "\(key)[\(index)]") } ?? item
      guard let members = tool.object else {
        throw wrong("\(key)[\(index)]", expected: "an object", found: tool.kind)
      }
      let isFunction = members["function"] == nil && members["type"] == nil && members["name"] != nil
      return wraps && isFunction ? .object(["type": .string("function"), "function": tool]) : tool
    }
  }

  private func parsed(_ text: String, _ key: String) throws -> OrderedJSON {
    do {
      return try OrderedJSON.parse(text, source: "\(place): \(key)")
    } catch {
      throw wrong(key, expected: "a list of objects, or its JSON text", found: String(text.prefix(60)))
    }
  }
}

extension OrderedJSON {
  /// The text that Python's `json.dumps` makes of it, without ASCII escapes.
  var jsonText: String { JinjaValue(self).jsonText }
}
