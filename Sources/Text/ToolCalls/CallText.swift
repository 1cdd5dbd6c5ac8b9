// Parts of the texts that calls are read from.

extension Character {
  /// Of a function's or a parameter's name.
  var isNameLike: Bool { isASCII && (isLetter || isNumber || "_-.".contains(self)) }
}

extension String {
  /// Without the mark that GLM-4 puts between calls.
  var withoutHandover: Substring {
    let text = self[...].trimmed
    return text.hasPrefix(ToolMark.handover) ? text.dropFirst(ToolMark.handover.count) : text
  }

  var trimmed: Substring { self[...].trimmed }
}

extension Substring {
  var trimmed: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  /// Without one line break at either end.
  var withoutLineBreaks: Substring {
    var text = self
    if text.first?.isNewline == true { text.removeFirst() }
    if text.last?.isNewline == true { text.removeLast() }
    return text
  }

  /// Without the fence of a block of JSON.
  var withoutFence: Substring {
    guard let (before, after) = cut(at: "```"), before.trimmed.isEmpty else { return self }
    let text = after.hasPrefix("json") ? after.dropFirst(4) : after
    return text.trimmed
  }

  /// The text that `<![CDATA[…]]>` stands around.
  var withoutCDATA: Substring {
    let (open, close) = ("<![CDATA[", "]]>")
    return hasPrefix(open) && hasSuffix(close) ? dropFirst(open.count).dropLast(close.count) : self
  }

  /// The name that a tag goes on with, what stands behind it in the tag, and what follows the tag.
  var tagName: (name: Substring, attributes: Substring, rest: Substring)? {
    guard let (tag, rest) = cut(at: ">") else { return nil }
    let name = tag.prefix { $0 != "\"" && $0 != "/" }.trimmed
    return name.isEmpty ? nil : (name, tag.dropFirst(name.count), rest)
  }

  /// What stands before and behind the first `mark`.
  func cut(at mark: String) -> (before: Substring, after: Substring)? {
    firstRange(of: mark).map { (self[..<$0.lowerBound], self[$0.upperBound...]) }
  }

  /// The place behind the JSON object, list or string that the text begins with; nil when it does not end.
  var jsonEnd: Index? {
    var depth = 0
    var isString = false
    var isEscaped = false
    for index in utf8.indices {
      let byte = utf8[index]
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isString = true
      } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        depth += 1
      } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
        depth -= 1
      }
      if depth <= 0 && !isString { return utf8.index(after: index) }
    }
    return nil
  }
}
