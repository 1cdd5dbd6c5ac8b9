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

  /// How many threads this process computes with by itself: one for each core that the allowed ones are of, and no more than its
  /// control group gives time to, as threads beyond that stop all of them for the rest of each tenth of a second.
  package static let threads = threads(cores: cores(of: allowed), limit: ControlGroup.processorLimit)

  /// Of so many cores, and so many seconds of processors a second.
  package static func threads(cores: Int, limit: Double?) -> Int {
    guard let limit, limit < Double(cores) else { return max(1, cores) }
    return max(1, Int(limit))
  }

  /// How many cores some processors are of. Where a core runs two threads, the system shows two processors, which share the
  /// core's units and caches: two threads of products get hardly more out of it than one, and tiles do half as much.
  ///
  /// - Parameter folder: where the system tells; a processor of which it tells nothing is a core of its own.
  package static func cores(of processors: Set<Int>, in folder: String = "/sys/devices/system/cpu") -> Int {
    var cores: Set<Set<Int>> = []
    for processor in processors {
      let path = "\(folder)/cpu\(processor)/topology/thread_siblings_list"
      let text = try? String(contentsOfFile: path, encoding: .utf8)
      cores.insert(text.flatMap { list($0.filter { !$0.isWhitespace }) } ?? [processor])
    }
    return cores.count
  }

  /// All that the machine has, whoever may use them.
  package static var count: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  /// Nodes of memory, usually one a socket, on whose processors this process may run; 1 where the system does not say.
  package static var memoryNodes: Int { max(1, nodes().count { !$0.isDisjoint(with: allowed) }) }

  /// The processors beside each node of memory; nodes without any are left out.
  ///
  /// - Parameter folder: where the system tells it.
  package static func nodes(in folder: String = nodesFolder) -> [Set<Int>] {
    numberedNodes(in: folder).sorted { $0.key < $1.key }.map(\.value)
  }

  package static let nodesFolder = "/sys/devices/system/node"

  /// The same by the nodes' numbers.
  static func numberedNodes(in folder: String) -> [Int: Set<Int>] {
    var nodes: [Int: Set<Int>] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard name.hasPrefix("node"), let number = Int(name.dropFirst(4)), number >= 0 else { continue }
      let text = try? String(contentsOfFile: "\(folder)/\(name)/cpulist", encoding: .utf8)
      nodes[number] = text.flatMap { list($0.filter { !$0.isWhitespace }) }
    }
    return nodes
  }

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
