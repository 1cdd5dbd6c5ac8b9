/// A 128-bit hash of bytes that is the same in every process: tells whether two contents are the same. No cryptography.
package struct ContentHash: Sendable {
  /// A finished hash.
  package struct Digest: Hashable, Sendable {
    package var first: UInt64
    package var second: UInt64

    package init(_ first: UInt64, _ second: UInt64) {
      self.first = first
      self.second = second
    }

    /// 32 hexadecimal digits.
    package var text: String { ContentHash.hexadecimal(first) + ContentHash.hexadecimal(second) }
  }

  private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
    0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89
  )
  private var count: UInt64 = 0
  /// Bytes that do not fill a block yet.
  private var rest: [UInt8] = []
  private static let blockSize = 32

  package init() {}

  /// Adds a text and its length, so that neighbouring texts cannot run into each other.
  package mutating func add(_ text: String) {
    var text = text
    add(UInt64(text.utf8.count))
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  package mutating func add(_ word: UInt64) {
    withUnsafeBytes(of: word) { add($0) }
  }

  /// Adds bytes; how they are cut into calls does not matter.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    count &+= UInt64(bytes.count)
    var start = 0
    if !rest.isEmpty {
      start = min(ContentHash.blockSize - rest.count, bytes.count)
      rest += bytes[..<start]
      guard rest.count == ContentHash.blockSize else { return }
      let block = rest
      rest.removeAll(keepingCapacity: true)
      block.withUnsafeBytes { mix($0) }
    }
    let end = start + (bytes.count - start) / ContentHash.blockSize * ContentHash.blockSize
    if end > start { mix(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
    rest += bytes[end...]
  }

  /// Takes whole blocks into the lanes.
  private mutating func mix(_ blocks: UnsafeRawBufferPointer) {
    var (a, b, c, d) = lanes
    for place in stride(from: 0, to: blocks.count, by: ContentHash.blockSize) {
      a = ContentHash.step(a, blocks.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      b = ContentHash.step(b, blocks.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
      c = ContentHash.step(c, blocks.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self))
      d = ContentHash.step(d, blocks.loadUnaligned(fromByteOffset: place + 24, as: UInt64.self))
    }
    lanes = (a, b, c, d)
  }

  /// One word into one lane, as in xxHash64 (Collet): a change of one bit reaches many before the next word comes.
  @inline(__always)
  private static func step(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let sum = lane &+ word &* 0xC2B2_AE3D_27D4_EB4F
    return (sum &<< 31 | sum &>> 33) &* 0x9E37_79B1_85EB_CA87
  }

  package var digest: Digest {
    var padded = self
    let block = rest + [UInt8](repeating: 0, count: ContentHash.blockSize - rest.count)
    block.withUnsafeBytes { padded.mix($0) }
    let (a, b, c, d) = padded.lanes
    let first = ContentHash.spread(ContentHash.spread(a ^ count) ^ ContentHash.spread(b &+ 1))
    let second = ContentHash.spread(ContentHash.spread(c &+ count) ^ ContentHash.spread(d &+ 3))
    return Digest(
      ContentHash.spread(first &+ second), ContentHash.spread(first ^ (second &<< 1 | second &>> 63)))
  }

  /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
  static func spread(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ word &>> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word &>> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word &>> 31
  }

  /// 16 digits.
  static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension ContentHash {
  /// The bytes of a file, in slices that do not stay in memory.
  package mutating func add(_ file: MappedFile) {
    add(file, file.bytes.indices)
  }

  /// A part of a file, in slices that do not stay in memory.
  package mutating func add(_ file: MappedFile, _ range: Range<Int>) {
    let slice = 16 << 20
    for start in stride(from: range.lowerBound, to: range.upperBound, by: slice) {
      let part = start..<min(start + slice, range.upperBound)
      add(UnsafeRawBufferPointer(rebasing: file.bytes[part]))
      file.discard(part)
    }
  }
}
