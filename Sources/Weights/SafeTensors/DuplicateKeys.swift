/// The first key that an object of a JSON text holds twice; nil when there is none.
///
/// A JSON parser keeps one of the two silently. The text must be valid JSON; keys are compared as written.
func duplicateKey(inJSON text: UnsafeRawBufferPointer) -> String? {
  var seen: [Set<String>] = []
  var lastString: String?
  var index = 0
  while index < text.count {
    switch text[index] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      seen.append([])
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      _ = seen.popLast()
    case UInt8(ascii: "\""):
      let start = index + 1
      index = start
      while index < text.count, text[index] != UInt8(ascii: "\"") {
        index += text[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      lastString = String(decoding: text[start..<min(index, text.count)], as: UTF8.self)
    case UInt8(ascii: ":"):
      guard let key = lastString, !seen.isEmpty else { break }
      if !seen[seen.count - 1].insert(key).inserted { return key }
    default:
      break
    }
    index += 1
  }
  return nil
}
