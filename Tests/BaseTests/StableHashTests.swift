import FireflyBase
import Testing

@Suite struct StableHashTests {
  /// Checkpoints and files of results hold such hashes.
  @Test func theRuleStaysAsItIs() {
    var hash = StableHash()
    hash.add("Firefly".utf8)
    hash.add(7)
    #expect(hash.text == "04c0166b0ed2ba5f")
  }
}
