import FireflyBase

/// Python's `str.format`: `{}`, `{0}` and `{name}`, with `!s` or `!r` behind them. Members, items and what stands behind a colon
/// are not supported.
enum BraceFormat {
  static func apply(_ format: MarkedText, _ arguments: CallArguments) throws -> MarkedText {
    var out = MarkedText()
    var fields = Fields(arguments: arguments)
    let bytes = Array(format.text.utf8)
    let braces = [UInt8(ascii: "{"), UInt8(ascii: "}")]
    var start = 0
    while let place = bytes[start...].firstIndex(where: braces.contains) {
      out.append(format.slice(start..<place))
      if place + 1 < bytes.count, bytes[place + 1] == bytes[place] {
        out.append(format.slice(place..<place + 1))
        start = place + 2
        continue
      }
      guard bytes[place] == braces[0], let end = bytes[place...].firstIndex(of: braces[1]) else {
        throw FireflyError("the format has a single brace")
      }
      let text = try fields.text(String(decoding: bytes[place + 1..<end], as: UTF8.self))
      out.append(format.isSafe ? text.html : text)
      start = end + 1
    }
    out.append(format.slice(start..<bytes.count))
    return out.safe(format.isSafe)
  }

  /// What stands for the fields.
  private struct Fields {
    let arguments: CallArguments
    /// Of a field without a name.
    var next = 0

    mutating func text(_ field: String) throws -> MarkedText {
      let parts = field.split(separator: "!", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let conversion = parts.count > 1 ? parts[1] : "s"
      guard ["s", "r"].contains(conversion), !parts[0].contains(where: ":.[".contains) else {
        throw FireflyError("the format \"{\(field)}\" is not supported")
      }
      guard let value = value(parts[0]) else { throw FireflyError("the format needs more values") }
      return conversion == "r" ? MarkedText(value.represented) : value.printed
    }

    private mutating func value(_ name: String) -> JinjaValue? {
      if let named = arguments.named.last(where: { $0.name == name }) { return named.value }
      if name.isEmpty { next += 1 }
      guard let index = name.isEmpty ? next - 1 : Int(name) else { return nil }
      return arguments.positional.indices.contains(index) ? arguments.positional[index] : nil
    }
  }
}
