import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// A file with one to three faults, of the sorts that transfers, editors and people make.
struct Mutation {
  private var random: TestRandom

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  private static let count =
    ProcessInfo.processInfo.environment["FIREFLY_MUTATIONS"].flatMap { Int($0) } ?? 20

  /// Calls `use` for many damaged forms of `data`, and for `data` itself, which must be read.
  static func each(_ data: Data, seed: UInt64, _ use: (Data) throws -> Void) throws {
    try use(data)
    for number in 0..<count {
      var mutation = Mutation(seed: seed << 32 | UInt64(number))
      let damaged = mutation.mutated(data)
      do {
        try use(damaged)
      } catch is FireflyError {
        // Refused with a message.
      } catch {
        Issue.record("\(error), of damaged file \(number)")
      }
    }
  }

  /// Of a large file the first part, which says how the rest is to be read, is hit most often.
  mutating func mutated(_ data: Data) -> Data {
    var bytes = [UInt8](data)
    for _ in 0...below(3) where !bytes.isEmpty { mutate(&bytes) }
    return Data(bytes)
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    let place = below(below(4) == 0 ? bytes.count : min(bytes.count, 4096))
    let range = place..<min(bytes.count, place + 1 + below(24))
    switch below(8) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = Mutation.bytes[below(Mutation.bytes.count)]
    case 2: bytes.removeSubrange(range)
    case 3: bytes.insert(contentsOf: bytes[range], at: below(bytes.count))
    case 4: bytes.removeSubrange(place...)
    case 5: replaceNumber(&bytes, from: place)
    case 6: bytes.insert(contentsOf: Mutation.texts[below(Mutation.texts.count)].utf8, at: place)
    default: for index in range { bytes[index] = UInt8(below(256)) }
    }
  }

  /// Another number in place of the next one that is written in digits.
  private mutating func replaceNumber(_ bytes: inout [UInt8], from place: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = bytes[place...].firstIndex(where: digits.contains) else { return }
    let last = bytes[first...].firstIndex { !digits.contains($0) } ?? bytes.count
    bytes.replaceSubrange(first..<last, with: Mutation.numbers[below(Mutation.numbers.count)].utf8)
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  private static let bytes: [UInt8] = [0, 1, 0x7f, 0x80, 0xff] + [UInt8]("\"{}[],:\n\\ 0".utf8)
  private static let numbers = [
    "0", "-1", "1", "3", "255", "65536", "2147483648", "4294967296", "9223372036854775807",
    "9223372036854775808", "1e308", "1e-320", "0.5", "null", "[]", "{}", "\"7\"",
  ]
  private static let texts = [
    "null", "{}", "[[[[[[[[", "\"\"", "\u{0}", "\u{FEFF}", "\\ud800", "é", "{% for i in range(9999999) %}",
    "{{ x }}", "-",
    "18446744073709551615", ",,", "\r\n", "<|im_end|>",
  ]
}
