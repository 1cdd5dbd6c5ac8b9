import FireflyBase
import FireflyModels

extension Architecture {
  /// The linear layers of a block that an adapter is hung on.
  ///
  /// - Parameter targets: nil for all.
  func adapted(_ targets: [String]?) -> [LinearShape] {
    linears.filter { linear in targets.map { $0.contains(where: linear.matches) } ?? true }
  }

  /// - Throws: `FireflyError` for a target that no linear layer answers to.
  func checkTargets(_ targets: [String]?) throws {
    for target in targets ?? [] where !linears.contains(where: { $0.matches(target) }) {
      let leaves = linears.compactMap { $0.name.split(separator: ".").last.map(String.init) }
      let nearest = nearestName(to: target, among: leaves)
      throw FireflyError(
        "no linear layer of the model has this name", at: "lora_target_modules",
        expected: leaves.joined(separator: ", "), found: "\"\(target)\"",
        fix: nearest.map { "Did you mean \"\($0)\"?" })
    }
  }
}
