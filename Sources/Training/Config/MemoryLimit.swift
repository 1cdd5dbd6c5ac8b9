import FireflyBase
import Foundation

/// The memory that a run may plan with: the key memory_limit.
public enum MemoryLimit: Sendable, Equatable {
  /// What the system lets this process use.
  case system
  case bytes(Int)
  /// A run starts whatever its plan says.
  case none

  /// Bytes; nil for none, and where the system does not say.
  var bytes: Int? {
    switch self {
    case .system: ProcessMemory.limitBytes
    case .bytes(let count): count
    case .none: nil
    }
  }

  /// What `parse` takes, as a regular expression.
  static let pattern = #"^([0-9]+\.?[0-9]*|\.[0-9]+)\s*([bB]|[kKmMgGtT]([iI]?[bB])?)?$"#

  /// A number of bytes as people write it: `20GiB`, `512 MB`, `1.5T`; nil for anything else.
  static func parse(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
    guard let value = Double(number), let factor = factor(unit) else { return nil }
    let bytes = (value * factor).rounded()
    return bytes >= 1 && bytes < 0x1p62 ? Int(bytes) : nil
  }

  /// `gib` and `g` are 1024³, `gb` is 1000³.
  private static func factor(_ unit: String) -> Double? {
    if ["", "b"].contains(unit) { return 1 }
    guard let power = "kmgt".firstIndex(of: unit.first ?? " ") else { return nil }
    let exponent = "kmgt".distance(from: "kmgt".startIndex, to: power) + 1
    let base: Double
    switch unit.dropFirst() {
    case "", "ib": base = 1024
    case "b": base = 1000
    default: return nil
    }
    return (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
