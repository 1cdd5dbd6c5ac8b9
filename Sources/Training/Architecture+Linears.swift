import FireflyBase
import FireflyModels

extension Architecture {
  /// The linear layers of all blocks that an adapter is hung on.
  ///
  /// - Parameter targets: nil for all.
  func adapted(_ targets: [String]?) -> [LinearShape] {
    adaptable.filter { linear in targets.map { $0.contains(where: linear.matches) } ?? true }
  }

  private var adaptable: [LinearShape] { allLinears.filter(\.takesAdapter) }

  /// - Throws: `FireflyError` for a target that no linear layer answers to.
  func checkTargets(_ targets: [String]?) throws {
    for target in targets ?? [] where !adaptable.contains(where: { $0.matches(target) }) {
      var leaves: [String] = []
      for case let leaf? in adaptable.map({ $0.name.split(separator: ".").last.map(String.init) })
      where !leaves.contains(leaf) {
        leaves.append(leaf)
      }
      let nearest = nearestName(to: target, among: leaves)
      throw FireflyError(
        "no linear layer of the model has this name", at: "lora_target_modules",
        expected: leaves.joined(separator: ", "), found: "\"\(target)\"",
        fix: nearest.map { "Did you mean \"\($0)\"?" })
    }
  }
}
