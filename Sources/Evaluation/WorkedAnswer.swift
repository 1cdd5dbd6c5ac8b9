import FireflyBase
import Foundation

/// Scores worked answers by their result, as GSM8K does (Cobbe et al., 2021): what stands after the last `####`.
///
/// A number counts as equal however it is written (`1,200`, `$1200`, `1200.0`, `1200 apples`); another result must be the
/// same text.
package enum WorkedAnswer {
  private static let marker = "####"

  /// The result of a worked answer: the rest of the line after the last `####`; nil when there is none.
  package static func result(of answer: String) -> String? {
    guard let found = answer.range(of: marker, options: .backwards) else { return nil }
    let line = answer[found.upperBound...].prefix { !$0.isNewline }
    let trimmed = line.trimmingCharacters(in: .whitespaces)
    return trimmed.isEmpty ? nil : trimmed
  }

  /// Whether the answer's result is the reference's.
  package static func matches(_ answer: String, reference: String) -> Bool {
    guard let found = result(of: answer), let expected = result(of: reference) else { return false }
    if let found = number(found), let expected = number(expected) { return found == expected }
    return found == expected
  }

  /// A number with an optional sign, currency sign, thousands' commas and decimals, and possibly words behind it;
  /// nil for anything else, fractions and times of day among it.
  static func number(_ text: String) -> Decimal? {
    var rest = text[...]
    let isNegative = takeSign(&rest)
    if let first = rest.first, "$¥€£".contains(first) { rest.removeFirst() }
    let isNegativeInside = takeSign(&rest)
    guard isNegative == nil || isNegativeInside == nil else { return nil }
    let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == "," || $0 == ".") }
    rest = rest.dropFirst(digits.count)
    // What follows may be a unit; more digits or an operator make it something else.
    guard !rest.contains(where: { $0.isNumber || "/^*=:+".contains($0) }) else { return nil }
    let parts = digits.filter { $0 != "," }.split(separator: ".", omittingEmptySubsequences: false)
    let whole = parts[0]
    let decimals = parts.count > 1 ? parts[1] : ""
    // A last full stop ends the sentence.
    guard parts.count <= 2 || (parts.count == 3 && parts[2].isEmpty), !(whole + decimals).isEmpty
    else { return nil }
    let sign = isNegative ?? isNegativeInside ?? false ? "-" : ""
    return Decimal(
      string: "\(sign)\(whole.isEmpty ? "0" : whole).\(decimals.isEmpty ? "0" : decimals)",
      locale: Locale(identifier: "en_US_POSIX"))
  }

  /// Takes a sign off; whether it is a minus, nil when there is none.
  private static func takeSign(_ text: inout Substring) -> Bool? {
    guard let first = text.first, "+-−".contains(first) else { return nil }
    text.removeFirst()
    return first != "+"
  }
}
