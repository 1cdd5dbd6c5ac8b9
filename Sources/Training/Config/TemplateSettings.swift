import FireflyBase
import FireflyText

extension ConfigReader {
  /// chat_template_kwargs, and enable_thinking by itself: variables of the model's own chat template.
  mutating func templateVariables() -> JSONMembers {
    var members: [String: JSONValue] = [:]
    if has(ModelKeys.templateVariables) {
      members["chat_template_kwargs"] = .object(value(ModelKeys.templateVariables))
    }
    if let thinking = value(ModelKeys.thinking) {
      if let other = members["chat_template_kwargs"]?["enable_thinking"], other != .bool(thinking) {
        problem(
          "\"enable_thinking\" and \"chat_template_kwargs\" contradict each other", key: "enable_thinking",
          found: "\(thinking) and \(other.text())", fix: "Keep one of them.")
      }
      members["enable_thinking"] = .bool(thinking)
    }
    return ChatTemplate.variables(inSettings: .object(members))
  }
}
