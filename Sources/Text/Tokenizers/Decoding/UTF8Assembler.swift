/// Makes whole characters of bytes that come one at a time.
struct UTF8Assembler: Sendable {
  /// What stands for bytes that are not UTF-8.
  enum Repair: Sendable {
    /// One U+FFFD for the longest start of a character (the Unicode Standard, Rust, byte-level decoders).
    case eachSequence
    /// One U+FFFD for each byte (SentencePiece).
    case eachByte
    /// One U+FFFD for each byte of a run that has any wrong byte; a run is kept until its end is known
    /// (the ByteFallback decoder of Hugging Face).
    case wholeRun
  }

  static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  let repair: Repair
  private var pending: [UInt8] = []

  init(_ repair: Repair) { self.repair = repair }

  mutating func append(_ byte: UInt8, to out: inout [UInt8]) {
    pending.append(byte)
    if repair != .wholeRun { drain(to: &out) }
  }

  /// The run of bytes is over.
  mutating func finish(to out: inout [UInt8]) {
    guard !pending.isEmpty else { return }
    switch repair {
    case .eachSequence:
      out += UTF8Assembler.replacement
    case .eachByte:
      replaceEach(to: &out)
    case .wholeRun:
      if String(validating: pending, as: UTF8.self) != nil { out += pending } else { replaceEach(to: &out) }
    }
    pending.removeAll()
  }

  private func replaceEach(to out: inout [UInt8]) {
    for _ in pending { out += UTF8Assembler.replacement }
  }

  /// Passes on what is decided: `pending` keeps a proper start of a character, or nothing.
  private mutating func drain(to out: inout [UInt8]) {
    while !pending.isEmpty {
      let valid = UTF8Assembler.validPrefix(of: pending)
      if valid == pending.count {
        guard valid == UTF8Assembler.length(pending[0]) else { return }
        out += pending
        pending.removeAll()
      } else {
        out += UTF8Assembler.replacement
        pending.removeFirst(repair == .eachByte ? 1 : max(1, valid))
      }
    }
  }

  /// The bytes of a character that starts with `first`; 0 when none does.
  private static func length(_ first: UInt8) -> Int {
    switch first {
    case 0...0x7F: 1
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 0
    }
  }

  /// How many of the bytes begin one character (Table 3-7 of the Unicode Standard).
  private static func validPrefix(of bytes: [UInt8]) -> Int {
    let length = length(bytes[0])
    guard length > 0 else { return 0 }
    for index in 1..<max(1, min(bytes.count, length)) {
      let allowed: ClosedRange<UInt8> =
        switch (index, bytes[0]) {
        case (1, 0xE0): 0xA0...0xBF
        case (1, 0xED): 0x80...0x9F
        case (1, 0xF0): 0x90...0xBF
        case (1, 0xF4): 0x80...0x8F
        default: 0x80...0xBF
        }
      guard allowed.contains(bytes[index]) else { return index }
    }
    return min(bytes.count, length)
  }
}
