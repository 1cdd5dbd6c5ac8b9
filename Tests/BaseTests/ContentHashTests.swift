import FireflyBase
import Testing

@Suite struct ContentHashTests {
  private func digest(_ parts: [[UInt8]]) -> ContentHash.Digest {
    var hash = ContentHash()
    for part in parts { part.withUnsafeBytes { hash.add($0) } }
    return hash.digest
  }

  @Test func cutsDoNotMatterAndEveryByteDoes() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let whole = digest([bytes])
    for cut in [1, 31, 32, 33, 64, 199] {
      #expect(digest([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
    }
    var seen: Set<ContentHash.Digest> = [whole]
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << bit
        seen.insert(digest([changed]))
      }
    }
    for count in 0..<200 { seen.insert(digest([Array(bytes[..<count])])) }
    seen.insert(digest([bytes + [0]]))
    #expect(seen.count == 1 + 1600 + 200 + 1)
  }

  @Test func neighbouringTextsStayApart() {
    var first = ContentHash()
    first.add("ab")
    first.add("c")
    var second = ContentHash()
    second.add("a")
    second.add("bc")
    #expect(first.digest != second.digest)
    #expect(first.digest.text.count == 32)
  }
}
