import FireflyBase

/// What files of the original and of DeepSpeed mean that are no configurations of today.
enum FormerKeys {
  /// Keys by the names that they had, and have.
  static let renamed = ["prompt_max_length": "max_prompt_length"]

  /// The settings under their names of today; one that is there under both stays as it is.
  static func renaming(_ settings: JSONValue, _ notices: inout [String]) -> JSONValue {
    guard case .object(var members) = settings else { return settings }
    for (old, new) in renamed.sorted(by: { $0.key < $1.key }) where members[new] == nil {
      guard let value = members.removeValue(forKey: old) else { continue }
      members[new] = value
      notices.append("\"\(old)\" is called \"\(new)\" now")
    }
    return .object(members)
  }

  /// A DeepSpeed file given as the configuration, which is easily done: they lie in one folder.
  static func refuseDeepSpeed(_ settings: JSONValue, source: String) throws {
    let keys = ["zero_optimization", "train_micro_batch_size_per_gpu", "train_batch_size"]
    guard settings["model_name_or_path"] == nil, let key = keys.first(where: { settings[$0] != nil }) else {
      return
    }
    throw FireflyError(
      "this is DeepSpeed's configuration, not a training run's", at: source,
      expected: "a file with \"model_name_or_path\" and \"train_file\"", found: "\"\(key)\"",
      fix: "Give the file that names it with \"deepspeed\"; Firefly itself needs none.")
  }
}
