import FireflyBase

/// Keys of the original, of transformers' TrainingArguments (4.34 to 5.23), TRL's configurations and PEFT's LoraConfig that
/// steer nothing here.
///
/// They are accepted so that existing files run unchanged: harmless, told or refused, as the table says. A key that is in
/// neither this table nor among ours is refused as unknown.
package enum ForeignKeys {
  enum Rule {
    /// Changes nothing of what is computed here, whatever its value.
    case harmless
    /// Told unless the value is one of these (null always is).
    case told(unless: [JSONValue], why: String)
    /// Would change the trained numbers: refused unless the value is one of these (null always is).
    case refused(unless: [JSONValue], why: String)
  }

  /// Reads every foreign key, so that it counts as known.
  ///
  /// - Returns: one line for each value that is not followed.
  static func read(from keys: inout ConfigReader) -> [String] {
    var notices: [String] = []
    for (key, rule) in table.sorted(by: { $0.key < $1.key }) {
      guard let value = keys.raw(key) else { continue }
      switch rule {
      case .harmless: break
      case .told(let quiet, let why):
        if !quiet.contains(where: value.isAlike) {
          notices.append("\"\(key)\": \(value.text()) is ignored: \(why)")
        }
      case .refused(let accepted, let why):
        if !accepted.contains(where: value.isAlike) {
          keys.problem(
            "\"\(key)\" is not supported: \(why)", key: key, found: value.text(), fix: "Remove the key.")
        }
      }
    }
    return notices
  }

  /// Whether the key changes nothing, whatever its value.
  package static func isHarmless(_ key: String) -> Bool {
    if case .harmless = table[key] { true } else { false }
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
