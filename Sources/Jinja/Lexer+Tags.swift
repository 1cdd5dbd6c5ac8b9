import FireflyBase

/// The tokens inside a tag.
extension Lexer {
  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=",
    ".", ":", "|", ",", ";",
  ]

  /// Everything from behind a tag's opening to behind its closing, which does not count inside brackets.
  mutating func lexTag(begin: Token.Kind, end: Token.Kind, closing: String) throws {
    let start = line
    var open: [Character] = []
    tokens.append(Token(kind: begin, line: line))
    while true {
      skipSpace()
      guard let byte = byte(position) else {
        throw error("the tag does not end", line: start, "expected \(closing)")
      }
      if open.isEmpty, let sign = closingSign(closing) {
        tokens.append(Token(kind: end, line: line))
        close(
          position + closing.utf8.count + (sign == nil ? 0 : 1), sign: sign, trimsNewline: closing == "%}")
        return
      }
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        try lexString(quote: byte)
      } else if isDigit(byte) {
        try lexNumber()
      } else if isNameByte(byte) {
        let range = position..<(bytes[position...].firstIndex { !isNameByte($0) } ?? bytes.count)
        add(.name(String(decoding: bytes[range], as: UTF8.self)), range)
      } else {
        try lexSymbol(&open)
      }
    }
  }

  /// Whether `closing` comes next, with the sign in front of it: an inner nil is "no sign".
  private func closingSign(_ closing: String) -> UInt8?? {
    if isNext(closing, at: position) { return .some(nil) }
    guard let sign = byte(position), isNext(closing, at: position + 1) else { return nil }
    let isSign = sign == UInt8(ascii: "-") || (sign == UInt8(ascii: "+") && closing == "%}")
    return isSign ? .some(sign) : nil
  }

  private mutating func lexSymbol(_ open: inout [Character]) throws {
    guard let symbol = Lexer.symbols.first(where: { isNext($0, at: position) }) else {
      let rest = String(decoding: bytes[position...].prefix(8), as: UTF8.self)
      throw error("unexpected character \"\(rest.first ?? "?")\" in a tag", line: line)
    }
    let pairs: [Character: Character] = ["(": ")", "[": "]", "{": "}"]
    if let closing = symbol.first.flatMap({ pairs[$0] }) { open.append(closing) }
    if [")", "]", "}"].contains(symbol) {
      guard open.popLast() == symbol.first else { throw error("unexpected \"\(symbol)\"", line: line) }
    }
    add(.symbol(symbol), position..<position + symbol.utf8.count)
  }

  private mutating func add(_ kind: Token.Kind, _ range: Range<Int>) {
    tokens.append(Token(kind: kind, line: line))
    countLines(range)
    position = range.upperBound
  }

  private mutating func skipSpace() {
    while let byte = byte(position), byte == 0x20 || (0x09...0x0D).contains(byte) {
      if byte == UInt8(ascii: "\n") { line += 1 }
      position += 1
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private func isNameByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  // MARK: - Numbers

  /// `0x1F`, `0b11`, `0o17`.
  private mutating func lexNumberOfBase() throws -> Bool {
    let bases: [UInt8: Int] = [UInt8(ascii: "x"): 16, UInt8(ascii: "b"): 2, UInt8(ascii: "o"): 8]
    guard bytes[position] == UInt8(ascii: "0"), let base = byte(position + 1).flatMap({ bases[$0 | 0x20] })
    else { return false }
    var end = position + 2
    while let next = byte(end), isNameByte(next) { end += 1 }
    let text = String(decoding: bytes[position + 2..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    guard let number = Int(text, radix: base) else {
      throw error(
        "the number \(String(decoding: bytes[position..<end], as: UTF8.self)) is not supported", line: line)
    }
    add(.integer(number), position..<end)
    return true
  }

  private mutating func lexNumber() throws {
    if try lexNumberOfBase() { return }
    var index = position
    func digits(_ index: inout Int) {
      while let next = byte(index),
        isDigit(next) || (next == UInt8(ascii: "_") && isDigit(byte(index + 1) ?? 0))
      {
        index += 1
      }
    }
    digits(&index)
    var isFloat = false
    // `a.0.1` is two indexes and no float.
    let followsDot = position > 0 && bytes[position - 1] == UInt8(ascii: ".")
    if !followsDot, byte(index) == UInt8(ascii: "."), isDigit(byte(index + 1) ?? 0) {
      isFloat = true
      index += 1
      digits(&index)
    }
    if !followsDot, (byte(index) ?? 0) | 0x20 == UInt8(ascii: "e") {
      var end = index + 1
      if byte(end) == UInt8(ascii: "+") || byte(end) == UInt8(ascii: "-") { end += 1 }
      if isDigit(byte(end) ?? 0) {
        isFloat = true
        digits(&end)
        index = end
      }
    }
    let text = String(decoding: bytes[position..<index].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    if isFloat, let number = Double(text) {
      add(.float(number), position..<index)
    } else if let number = Int(text), !isNameByte(byte(index) ?? 0) {
      add(.integer(number), position..<index)
    } else {
      throw error("the number \(text) is not supported", line: line)
    }
  }

  // MARK: - Strings

  private mutating func lexString(quote: UInt8) throws {
    let start = position
    var out = ""
    var index = position + 1
    var run = index  // of bytes without escapes
    while let byte = byte(index), byte != quote {
      guard byte == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      out += String(decoding: bytes[run..<index], as: UTF8.self)
      index += 1
      out += try escape(&index)
      run = index
    }
    guard index < bytes.count else { throw error("the string does not end", line: line) }
    out += String(decoding: bytes[run..<index], as: UTF8.self)
    add(.string(out), start..<index + 1)
  }

  /// Python's escapes; an unknown one stays as written. `index` stands behind the backslash.
  private func escape(_ index: inout Int) throws -> String {
    guard let letter = byte(index) else { return "\\" }
    index += 1
    let simple: [UInt8: String] = [
      UInt8(ascii: "n"): "\n", UInt8(ascii: "t"): "\t", UInt8(ascii: "r"): "\r", UInt8(ascii: "\\"): "\\",
      UInt8(ascii: "'"): "'", UInt8(ascii: "\""): "\"", UInt8(ascii: "a"): "\u{7}",
      UInt8(ascii: "b"): "\u{8}",
      UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "v"): "\u{B}", UInt8(ascii: "\n"): "",
    ]
    if let text = simple[letter] { return text }
    let widths: [UInt8: Int] = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
    if let width = widths[letter] {
      let digits = String(decoding: bytes[index...].prefix(width), as: UTF8.self)
      guard digits.utf8.count == width, let value = UInt32(digits, radix: 16),
        let scalar = Unicode.Scalar(value)
      else { throw error("not an escape: \\\(Character(Unicode.Scalar(letter)))\(digits)", line: line) }
      index += width
      return String(scalar)
    }
    if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(letter) {
      var value = UInt32(letter - UInt8(ascii: "0"))
      var count = 1
      while count < 3, let next = byte(index), (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(next) {
        value = value * 8 + UInt32(next - UInt8(ascii: "0"))
        index += 1
        count += 1
      }
      return String(Unicode.Scalar(value) ?? "\u{FFFD}")
    }
    guard letter >= 0x80 else { return "\\" + String(Character(Unicode.Scalar(letter))) }
    // Jinja spells what is not ASCII as escapes before it reads them, and so the character's own is not read.
    let start = index - 1
    while let next = byte(index), next & 0xc0 == 0x80 { index += 1 }
    return String(decoding: bytes[start..<index], as: UTF8.self).unicodeScalars.map { scalar in
      let digits = String(scalar.value, radix: 16)
      let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
      return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }.joined()
  }
}
