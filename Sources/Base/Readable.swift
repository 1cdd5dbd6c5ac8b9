import Foundation

/// Numbers, sizes and times as people read them.
package enum Readable {
  /// `value` with `digits` decimals: `fixed(1.5, 2)` is `1.50`; NaN and infinities by name.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf" }
    return String(format: "%.\(digits)f", value)
  }

  /// A learning rate or another small number: `1e-04`, `3.33e-08`, `0`.
  package static func scientific(_ value: Double) -> String {
    if value == 0 { return "0" }
    guard value.isFinite else { return fixed(value, 0) }
    let parts = String(format: "%.2e", value).split(separator: "e")
    var mantissa = parts[0]
    while mantissa.hasSuffix("0") { mantissa.removeLast() }
    if mantissa.hasSuffix(".") { mantissa.removeLast() }
    return "\(mantissa)e\(parts[1])"
  }

  /// `1,234,567`.
  package static func grouped(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value.magnitude).reversed().enumerated() {
      if index > 0 && index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (value < 0 ? "-" : "") + String(text.reversed())
  }

  /// `512 B`, `1.5 KiB`, `3.2 GiB`.
  package static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(fixed(value, value < 10 ? 2 : 1)) \(units[unit])"
  }

  /// `42 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let total = Int(saturating: seconds.rounded())
    let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    switch total {
    case ..<60: return "\(total) s"
    case ..<3600: return "\(total / 60) min \(two(total % 60)) s"
    case ..<86400: return "\(total / 3600) h \(two(total % 3600 / 60)) min"
    default: return "\(total / 86400) d \(total % 86400 / 3600) h"
    }
  }
}

extension Duration {
  /// The time as a number of seconds.
  package var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
