import Foundation

/// The processors of this machine.
package enum Processors {
  /// Those that this process may run on, by their numbers: all, or what taskset, a cpuset or mpirun's binding leaves it.
  package static let allowed: Set<Int> = {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let name = "Cpus_allowed_list:"
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
    let numbers = line.flatMap { list($0.dropFirst(name.count).filter { !$0.isWhitespace }) } ?? []
    return numbers.isEmpty ? Set(0..<ProcessInfo.processInfo.activeProcessorCount) : numbers
  }()

  /// All that the machine has, whoever may use them.
  package static var count: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  /// `0-3,8` as numbers; nil where it is no such list.
  package static func list(_ text: String) -> Set<Int>? {
    var numbers: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let bounds = part.split(separator: "-").map { Int($0) }
      guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2, first <= last
      else { return nil }
      numbers.formUnion(first...last)
    }
    return numbers
  }
}
