import FireflyBase

extension RowFormat {
  /// What is left out where a list of messages begins with a system message: the row's own system text, if it says something
  /// else, and what the message has beside its text, which templates are not given.
  static func leftOutOfSystem(_ row: Row, _ list: String) -> [String] {
    guard let message = row[list]?.array?.first?.object else { return [] }
    let (speaker, text) = message["from"] == nil ? ("role", "content") : ("from", "value")
    guard let name = message[speaker]?.string, MessageReader.isSystem(name) else { return [] }
    let further = Row(message, place: row.place, line: row.line).keys.filter { key in
      key != speaker && key != text && !RowKeys.isHarmless(key) && !MessageDetails.isMask(key)
    }
    let own = row["system"]?.string ?? ""
    let isSecond = !own.isEmpty && message[text]?.string != own
    return (isSecond ? ["system"] : []) + further.map { "message." + $0 }
  }
}
