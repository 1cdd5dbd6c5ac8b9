import Foundation

/// The control group that this process is in: containers and services are limited by theirs.
package enum ControlGroup {
  /// The least limit of memory of the group and of those around it, in bytes; nil: none.
  package static var memoryLimit: Int? { memoryLimit(groups: ownGroups, root: mount) }

  /// The least limit of processors, as in `docker run --cpus=2.5`: so many seconds of them a second, on however many; nil: none.
  package static var processorLimit: Double? { processorLimit(groups: ownGroups, root: mount) }

  private static let mount = "/sys/fs/cgroup"
  private static var ownGroups: String { text("/proc/self/cgroup") ?? "" }

  /// - Parameters:
  ///   - groups: what /proc/self/cgroup says: lines `number:controllers:/path`; version 2 has one, `0::/path`.
  ///   - root: where control groups are mounted.
  static func memoryLimit(groups: String, root: String) -> Int? {
    folders(of: "memory", groups: groups, root: root).compactMap { folder, version in
      let file = version == 2 ? "memory.max" : "memory.limit_in_bytes"
      return text("\(folder)/\(file)").flatMap(Int.init).flatMap { $0 < unlimited ? $0 : nil }
    }.min()
  }

  /// The same parameters.
  static func processorLimit(groups: String, root: String) -> Double? {
    folders(of: "cpu", groups: groups, root: root).compactMap { folder, version in
      // Microseconds of processors, or "max" or −1, of microseconds.
      let words =
        version == 2
        ? text("\(folder)/cpu.max")?.split(separator: " ").map(String.init) ?? []
        : ["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap { text("\(folder)/\($0)") }
      let numbers = words.compactMap { Double($0) }
      return numbers.count == 2 && numbers.allSatisfy { $0 > 0 } ? numbers[0] / numbers[1] : nil
    }.min()
  }

  /// Version 1 says no limit by a number that no machine's memory reaches.
  private static let unlimited = 1 << 60

  /// The folders that may have limits, and of which version they are: where a controller is mounted, and on the way from
  /// there down the group's path. In a container the path may be that outside, and only the first is there.
  private static func folders(
    of controller: Substring, groups: String, root: String
  ) -> [(path: String, version: Int)] {
    groups.split(separator: "\n").flatMap { line -> [(path: String, version: Int)] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let isOfTwo = fields[1].isEmpty
      guard isOfTwo || fields[1].split(separator: ",").contains(controller) else { return [] }
      var path = isOfTwo ? root : "\(root)/\(controller)"
      var paths = [path]
      for name in fields[2].split(separator: "/") {
        path += "/\(name)"
        paths.append(path)
      }
      return paths.map { ($0, isOfTwo ? 2 : 1) }
    }
  }

  private static func text(_ path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
