import FireflyTensors
import Foundation
import Testing

@Suite struct RandomTests {
  /// The known answers of Random123 for Philox4x32-10: all zeros, all ones, digits of π.
  @Test func philoxKnownAnswers() {
    let zero = CounterRandom.philox((0, 0, 0, 0), key: (0, 0))
    #expect(zero == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let all = UInt32.max
    #expect(
      CounterRandom.philox((all, all, all, all), key: (all, all))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      CounterRandom.philox(
        (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func stateIsSavedAndResumed() throws {
    var random = CounterRandom(seed: 7, stream: 9)
    for _ in 0..<5 { _ = random.next() }
    var resumed = try JSONDecoder().decode(CounterRandom.self, from: JSONEncoder().encode(random))
    #expect((0..<10).map { _ in random.next() } == (0..<10).map { _ in resumed.next() })
    var (other, otherSeed) = (CounterRandom(seed: 7, stream: 10), CounterRandom(seed: 8, stream: 9))
    var first = CounterRandom(seed: 7, stream: 9)
    let number = first.next()
    #expect(number != other.next() && number != otherSeed.next())
  }

  @Test func numbersAreUniform() {
    var random = CounterRandom(seed: 1)
    let count = 60_000
    var counts = [Int](repeating: 0, count: 6)
    var (sum, floats) = (0.0, Float(0))
    for _ in 0..<count {
      counts[random.integer(below: 6)] += 1
      let (double, float) = (random.double(), random.float())
      #expect(double >= 0 && double < 1 && float >= 0 && float < 1)
      sum += double
      floats += float / Float(count)
    }
    // Five standard deviations.
    for found in counts { #expect(abs(found - count / 6) < 460) }
    #expect(abs(sum / Double(count) - 0.5) < 0.006 && abs(floats - 0.5) < 0.006)
  }

  @Test func shuffleIsAPermutation() {
    var random = CounterRandom(seed: 3)
    var items = Array(0..<100)
    random.shuffle(&items)
    #expect(items != Array(0..<100) && items.sorted() == Array(0..<100))
    var again = CounterRandom(seed: 3)
    var same = Array(0..<100)
    again.shuffle(&same)
    #expect(items == same)
  }
}
