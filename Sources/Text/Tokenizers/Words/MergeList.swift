import FireflyBase

/// Takes merges in their order, each as its two tokens, and looks up what they make.
struct MergeList {
  private let table: TokenTable
  /// What the right token of a merge begins with and the merged one does not.
  private let prefix: [UInt8]
  private let place: String
  let pairs: PairTable
  private var rank: Int32 = 0
  private var merged: [UInt8] = []

  /// - Parameters:
  ///   - count: about how many merges will come.
  ///   - place: the list, for error messages.
  init(table: TokenTable, count: Int, prefix: [UInt8] = [], place: String) {
    self.table = table
    self.prefix = prefix
    self.place = place
    pairs = PairTable(count: count)
  }

  /// A merge as `left right`.
  /// - Throws: when it is none, or when one of the three tokens is not in the vocabulary.
  mutating func append(_ line: UnsafeRawBufferPointer) throws {
    guard let space = line.firstIndex(of: UInt8(ascii: " ")), space > 0, space + 1 < line.count else {
      throw FireflyError(
        "not a merge", at: "\(place)[\(rank)]", expected: "\"left right\"",
        found: "\"\(String(decoding: line, as: UTF8.self))\"")
    }
    try append(line.part(0..<space), line.part((space + 1)..<line.count))
  }

  mutating func append(_ left: [UInt8], _ right: [UInt8]) throws {
    guard !left.isEmpty, !right.isEmpty else { throw mistyped("an empty token") }
    try left.withUnsafeBytes { left in try right.withUnsafeBytes { right in try append(left, right) } }
  }

  private mutating func append(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) throws {
    merged.removeAll(keepingCapacity: true)
    merged.append(contentsOf: left)
    merged.append(contentsOf: right.dropFirst(prefix.count))
    pairs.insert(try id(left), try id(right), rank: rank, id: try merged.withUnsafeBytes(id))
    rank += 1
  }

  private func id(_ token: UnsafeRawBufferPointer) throws -> Int32 {
    guard let id = table.id(of: token) else {
      throw FireflyError(
        "a merge names a token that is not in the vocabulary", at: "\(place)[\(rank)]",
        found: "\"\(String(decoding: token, as: UTF8.self))\"")
    }
    return id
  }

  func mistyped(_ found: String) -> FireflyError {
    FireflyError(
      "wrong type", at: "\(place)[\(rank)]", expected: "\"left right\" or two strings", found: found)
  }
}

extension BytePairEncoder {
  /// For each byte the id of its character in GPT-2's alphabet, −1 where the vocabulary has none.
  static func byteIDs(_ table: TokenTable) -> [Int32] {
    (UInt8.min...UInt8.max).map { table.id(of: ByteAlphabet.spell([$0])) ?? -1 }
  }
}

extension TokenTable {
  /// For each byte its id, that of `<0x00>` … `<0xFF>`.
  /// - Throws: when some but not all are there; returns nil when none is.
  func byteTokens(at place: String) throws -> [Int32]? {
    let ids = (UInt8.min...UInt8.max).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: "<0x" + (digits.count < 2 ? "0" : "") + digits + ">")
    }
    let found = ids.compactMap { $0 }
    guard !found.isEmpty else { return nil }
    guard found.count == 256 else {
      throw FireflyError("byte tokens are missing", at: place, expected: "256", found: "\(found.count)")
    }
    return found
  }
}
