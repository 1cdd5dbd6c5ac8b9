import Foundation

/// The control group that this process is in: containers and services are limited by theirs.
package enum ControlGroup {
  /// The least limit of memory of the group and of those around it, in bytes; nil: none.
  package static var memoryLimit: Int? {
    let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    return memoryLimit(groups: groups, root: "/sys/fs/cgroup")
  }

  /// - Parameters:
  ///   - groups: what /proc/self/cgroup says: lines `number:controllers:/path`; version 2 has one, `0::/path`.
  ///   - root: where control groups are mounted.
  static func memoryLimit(groups: String, root: String) -> Int? {
    let limits = groups.split(separator: "\n").flatMap { line -> [Int] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      if fields[1].isEmpty { return values(of: "memory.max", from: root, down: fields[2]) }
      guard fields[1].split(separator: ",").contains("memory") else { return [] }
      return values(of: "memory.limit_in_bytes", from: root + "/memory", down: fields[2])
    }
    return limits.min()
  }

  /// Version 1 says no limit by a number that no machine's memory reaches.
  private static let unlimited = 1 << 60

  /// The file's number in `folder` and in each folder on the way `path` below it. In a container the path may be that
  /// outside, and only the first is there.
  private static func values(of file: String, from folder: String, down path: Substring) -> [Int] {
    var (folder, values) = (folder, [Int]())
    for name in [""] + path.split(separator: "/").map(String.init) {
      if !name.isEmpty { folder += "/" + name }
      let text = try? String(contentsOfFile: folder + "/" + file, encoding: .utf8)
      let value = text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
      if let value, value < unlimited { values.append(value) }
    }
    return values
  }
}
