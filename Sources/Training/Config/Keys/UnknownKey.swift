import FireflyBase

/// What to do about a key that neither Firefly nor the libraries of the original have.
enum UnknownKey {
  /// The key's name here where another trainer calls it so, or else the nearest one, and where all of them are listed.
  static func advice(on key: String) -> String {
    if let elsewhere = KeysElsewhere.advice(on: key) { return elsewhere }
    let list = "'firefly keys' lists all keys."
    guard let nearest = nearestName(to: key, among: ConfigKeys.names) else { return "Remove it; \(list)" }
    return "Did you mean \"\(nearest)\"? \(list)"
  }
}
