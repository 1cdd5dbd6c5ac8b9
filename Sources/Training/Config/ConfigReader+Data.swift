import FireflyBase
import FireflyText

/// Which rows a run is trained on.
extension ConfigReader {
  /// train_on_prompt and only_last_turn.
  mutating func learntParts(_ task: TaskType) -> LearntParts {
    let everything = value(DataKeys.learnsPrompt)
    let last = value(DataKeys.learnsLastTurn)
    if everything && last {
      problem(
        "\"train_on_prompt\" and \"only_last_turn\" are both true", key: "only_last_turn",
        expected: "one of them", fix: "Set one of them to false.")
    }
    for (key, isOn) in [(DataKeys.learnsPrompt, everything), (DataKeys.learnsLastTurn, last)]
    where isOn && task != .sft {
      problem(
        "\"\(key.name)\" is for conversations", key: key.name, expected: "\"task_type\": \"sft\"",
        found: task.rawValue,
        fix: "Remove the key.")
    }
    return last ? .lastAnswer : everything ? .everything : .answers
  }

  /// template_name. A configuration from before the original had templates has none: its conversations are written as
  /// they were then.
  mutating func template(_ task: TaskType, modelPath: String, _ notices: inout [String]) -> String {
    let name = value(ModelKeys.template)
    if let current = ChatTemplate.formerNames[name] {
      notices.append("\"template_name\": \"\(name)\" is \"\(current)\" here")
    }
    if name.isEmpty && task == .dpo {
      problem(
        "\"template_name\" is missing", key: "template_name", expected: "a template's name, or \"auto\"",
        fix: "\"auto\" is the model's own template.")
    }
    guard name.isEmpty, task == .sft else { return name }
    let template = ChatTemplate.beforeTemplates(modelPath: modelPath)
    notices.append(
      "\"template_name\" is not given: conversations are written by \"\(template)\", as the original did before it "
        + "had templates; \"auto\" is the model's own template")
    return template
  }
}
