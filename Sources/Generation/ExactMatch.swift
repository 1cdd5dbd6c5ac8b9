import FireflyBase
import Foundation

/// Scores worked answers by their result, as GSM8K does: what stands after the last `####`.
///
/// A number counts as equal however it is written (`1,200`, `$1200`, `1200.0`); another result must be the same text.
public enum ExactMatch {
  private static let marker = "####"

  /// The result of a worked answer: the rest of the line after the last `####`; nil when there is none.
  public static func result(of answer: String) -> String? {
    guard let found = answer.range(of: marker, options: .backwards) else { return nil }
    let line = answer[found.upperBound...].prefix { !$0.isNewline }
    let trimmed = line.trimmingCharacters(in: .whitespaces)
    return trimmed.isEmpty ? nil : trimmed
  }

  /// Whether the answer's result is the reference's.
  public static func matches(_ answer: String, reference: String) -> Bool {
    guard let found = result(of: answer), let expected = result(of: reference) else { return false }
    if let found = number(found), let expected = number(expected) { return found == expected }
    return found == expected
  }

  /// Without thousands' commas, a currency sign before, and a full stop or unit sign after.
  private static func number(_ text: String) -> Decimal? {
    var digits = text.filter { $0 != "," && $0 != " " }
    digits = String(digits.drop { "$¥€£".contains($0) })
    while let last = digits.last, ".。%元".contains(last) { digits.removeLast() }
    let isPlain = digits.contains { $0.isNumber } && digits.allSatisfy { "+-.0123456789".contains($0) }
    return isPlain ? Decimal(string: digits, locale: Locale(identifier: "en_US_POSIX")) : nil
  }
}
