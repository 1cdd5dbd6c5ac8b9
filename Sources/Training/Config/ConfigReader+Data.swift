import FireflyBase
import FireflyText

/// Which rows a run is trained on.
extension ConfigReader {
  /// train_file: a path, or a list of paths and objects `{"file": …, "share": …, "max_samples": …}`.
  mutating func trainFiles() -> [DataFile] {
    guard let value = raw("train_file"), value.string == nil else { return [DataFile(string("train_file"))] }
    let expected = "a path, or a list of paths and objects {\"file\", \"share\", \"max_samples\"}"
    guard let items = value.array, !items.isEmpty else {
      return wrong("train_file", expected, value, [DataFile("")])
    }
    return items.enumerated().map { index, item in
      if let path = item.string, !path.isEmpty { return DataFile(path) }
      guard let members = item.object, let path = members["file"]?.string, !path.isEmpty else {
        return wrong("train_file", "\(expected), at place \(index + 1)", item, DataFile(""))
      }
      return DataFile(
        path, share: share(of: members, path), maxRows: maxRows(of: members, path))
    }
  }

  private mutating func share(of members: [String: JSONValue], _ path: String) -> Double? {
    let known = ["file", "max_samples", "share"]
    for key in members.keys.sorted() where !known.contains(key) {
      problem(
        "unknown key \"\(key)\" of \(path)", key: "train_file", expected: known.joined(separator: ", "),
        fix: nearestName(to: key, among: known).map { "Did you mean \"\($0)\"?" })
    }
    guard let value = members["share"], value != .null else { return nil }
    if let share = value.double, share > 0 && share <= 1 { return share }
    problem(
      "\"share\" of \(path) has a wrong value", key: "train_file", expected: "a number above 0 and at most 1",
      found: value.text())
    return nil
  }

  private mutating func maxRows(of members: [String: JSONValue], _ path: String) -> Int? {
    guard let value = members["max_samples"], value != .null else { return nil }
    if let count = value.int, (1...ConfigReader.most).contains(count) { return count }
    problem(
      "\"max_samples\" of \(path) has a wrong value", key: "train_file",
      expected: "a whole number of at least 1", found: value.text())
    return nil
  }

  /// val_size: a part of the rows below 1, or a number of them; nil for none.
  mutating func heldOut() -> HeldOut? {
    guard let value = raw("val_size"), value.double != 0 else { return nil }
    if let count = value.int, (1...ConfigReader.most).contains(count) { return .rows(count) }
    if let share = value.double, share > 0 && share < 1 { return .share(share) }
    return wrong("val_size", "a part of the rows below 1, or a number of rows", value, nil)
  }

  /// train_on_prompt and only_last_turn.
  mutating func learntParts(_ task: TaskType) -> LearntParts {
    let everything = bool("train_on_prompt", default: false)
    let last = bool("only_last_turn", default: false)
    if everything && last {
      problem(
        "\"train_on_prompt\" and \"only_last_turn\" are both true", key: "only_last_turn",
        expected: "one of them", fix: "Set one of them to false.")
    }
    for (key, isOn) in [("train_on_prompt", everything), ("only_last_turn", last)] where isOn && task != .sft
    {
      problem(
        "\"\(key)\" is for conversations", key: key, expected: "\"task_type\": \"sft\"", found: task.rawValue,
        fix: "Remove the key.")
    }
    return last ? .lastAnswer : everything ? .everything : .answers
  }

  /// template_name. A configuration from before the original had templates has none: its conversations are written as
  /// they were then.
  mutating func template(_ task: TaskType, modelPath: String, _ notices: inout [String]) -> String {
    let name = string("template_name", default: "")
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
