import Foundation

/// What the system says of this process.
enum ProcessMemory {
  /// The most memory this process has held at once: VmHWM of /proc/self/status; nil where there is none.
  static var peakBytes: Int? { kibibytes("VmHWM:") }

  private static func kibibytes(_ field: String) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
      let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return number * 1024
  }
}
