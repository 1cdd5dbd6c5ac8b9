import FireflyBase

extension ConfigReader {
  /// Refuses what would change the trained numbers.
  ///
  /// - Returns: one line for each value that is not followed.
  mutating func foreignKeys() -> [String] {
    var notices: [String] = []
    for (key, rule) in ForeignKeys.table.sorted(by: { $0.key < $1.key }) {
      guard let value = member(key) else { continue }
      switch rule {
      case .harmless: break
      case .told(let quiet, let why):
        if !quiet.contains(where: value.isAlike) {
          notices.append("\"\(key)\": \(value.text()) is ignored: \(why)")
        }
      case .refused(let accepted, let why):
        if !accepted.contains(where: value.isAlike) {
          problem(
            "\"\(key)\" is not supported: \(why)", key: key, found: value.text(), fix: "Remove the key.")
        }
      }
    }
    return notices
  }
}

extension JSONValue {
  /// Equality in which 1 is 1.0, in lists too.
  fileprivate func isAlike(_ other: JSONValue) -> Bool {
    if let own = array, let others = other.array {
      return own.count == others.count && zip(own, others).allSatisfy { $0.isAlike($1) }
    }
    if let own = double, let others = other.double { return own == others }
    return self == other
  }
}
