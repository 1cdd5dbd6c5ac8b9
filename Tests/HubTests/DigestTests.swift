import FireflyTestSupport
import Testing

/// Numbers of Python's hashlib and of git hash-object.
@Suite struct DigestTests {
  @Test func hashesAreThoseOfOthers() {
    #expect(
      HubHash.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(HubHash.gitBlob(Array("hello\n".utf8)) == "ce013625030ba8dba906f756967f9e9ca394464a")
    let long = (0..<5000).flatMap { _ in (0...255).map { UInt8($0) } }
    #expect(HubHash.sha256(long) == "7d471e4af16db5a30ce10aebbc29f5178b2edbad6c7dc2e8ff8ee6e4848a726f")
    #expect(HubHash.gitBlob(long) == "7fa3c9965d3726fbade707251a3ce65c81cb8436")
  }
}
