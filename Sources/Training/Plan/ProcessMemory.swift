import FireflyBase
import Foundation

/// What the system says of this process.
package enum ProcessMemory {
  /// The most memory this process has held at once: VmHWM of /proc/self/status; nil where there is none.
  static var peakBytes: Int? { kibibytes("VmHWM:") }

  /// What this process holds now: VmRSS; nil where there is none.
  static var residentBytes: Int? { kibibytes("VmRSS:") }

  /// What this process may use: the machine's memory, or its control group's limit where that is less.
  static var limitBytes: Int? { [machineBytes, ControlGroup.memoryLimit].compactMap { $0 }.min() }

  /// The machine's memory; nil where the system does not tell.
  package static var machineBytes: Int? { kibibytes("MemTotal:", in: "/proc/meminfo") }

  /// What programs can still take without others being written out; nil where the system does not tell.
  package static var availableBytes: Int? { kibibytes("MemAvailable:", in: "/proc/meminfo") }

  private static func kibibytes(_ field: String, in file: String = "/proc/self/status") -> Int? {
    guard let status = try? String(contentsOfFile: file, encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
      let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return number * 1024
  }
}
