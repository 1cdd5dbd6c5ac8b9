import FireflyBase

extension ConfigReader {
  /// One line for each kind of keys that are given and belong to other trainings than this one.
  ///
  /// What the original's own files have for every task is not told, and `FullKeys` are refused.
  func keysOfOtherTrainings(_ task: TaskType, _ mode: TrainMode) -> [String] {
    var notices: [String] = []
    if task != .dpo {
      // "nll" is what is done anyway.
      let given = PreferenceKeys.all.filter { key in
        has(key) && key.about.origin != .original && member(key.name) != .string("nll")
      }
      notices += ignored(given, "task_type \"dpo\"")
    }
    if mode == .full { notices += ignored(AdapterKeys.all.filter(has), "train_mode \"lora\" and \"qlora\"") }
    return notices
  }

  private func ignored(_ keys: [KeyDeclaration], _ training: String) -> [String] {
    let names = keys.map { "\"\($0.name)\"" }.joined(separator: ", ")
    return keys.isEmpty ? [] : ["of \(training) alone, and ignored: \(names)"]
  }
}
