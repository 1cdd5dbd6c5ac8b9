import FireflyBase
import Testing

@Suite struct ReadableTests {
  @Test func readAsPeopleWriteThem() {
    #expect(Readable.fixed(1.25, 3) == "1.250" && Readable.fixed(.nan, 2) == "NaN")
    #expect(Readable.scientific(1e-4) == "1e-04" && Readable.scientific(0) == "0")
    #expect(Readable.scientific(1e-4 / 3000) == "3.33e-08")
    #expect(Readable.grouped(1_234_567) == "1,234,567" && Readable.grouped(999) == "999")
    #expect(
      Readable.bytes(512) == "512 B" && Readable.bytes(1536) == "1.50 KiB"
        && Readable.bytes(3 << 34) == "48.0 GiB")
    #expect(Readable.duration(42) == "42 s" && Readable.duration(185) == "3 min 05 s")
    #expect(Readable.duration(7620) == "2 h 07 min" && Readable.duration(.infinity) == "?")
  }
}
