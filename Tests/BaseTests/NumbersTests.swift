import FireflyBase
import Testing

@Suite struct NumbersTests {
  @Test func readAsPeopleWriteThem() {
    #expect(Numbers.fixed(1.25, 3) == "1.250" && Numbers.fixed(.nan, 2) == "NaN")
    #expect(Numbers.scientific(1e-4) == "1e-04" && Numbers.scientific(0) == "0")
    #expect(Numbers.scientific(1e-4 / 3000) == "3.33e-08")
    #expect(Numbers.grouped(1_234_567) == "1,234,567" && Numbers.grouped(999) == "999")
    #expect(
      Numbers.bytes(512) == "512 B" && Numbers.bytes(1536) == "1.50 KiB"
        && Numbers.bytes(3 << 34) == "48.0 GiB")
    #expect(Numbers.duration(42) == "42 s" && Numbers.duration(185) == "3 min 05 s")
    #expect(Numbers.duration(7620) == "2 h 07 min" && Numbers.duration(.infinity) == "?")
  }
}
