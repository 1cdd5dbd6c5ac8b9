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

  static func knows(_ key: String) -> Bool { table[key] != nil }

  /// Whether the key changes nothing, whatever its value.
  package static func isHarmless(_ key: String) -> Bool {
    if case .harmless = table[key] { true } else { false }
  }
}
