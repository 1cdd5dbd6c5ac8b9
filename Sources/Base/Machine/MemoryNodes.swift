import CNodes

/// The nodes of memory of a machine with several sockets.
package enum MemoryNodes {
  /// Lets the new pages of this thread, and of those that it starts from now on, lie in turn on the nodes beside whose
  /// processors the process may run. All threads read all weights, so they then use the bandwidth of every node; by itself
  /// the system lays a page beside the thread that touches it first, and a file's pages beside the one that reads it.
  ///
  /// Nothing changes where there is one such node, where whoever started the process has chosen (numactl), or where the
  /// system refuses, as in some containers. Results do not depend on it.
  /// - Parameters:
  ///   - folder: where the system tells of nodes.
  ///   - processors: those that the process may run on.
  /// - Returns: the nodes' numbers; none: nothing was changed.
  @discardableResult package static func spreadPages(
    in folder: String = Processors.nodesFolder, processors: Set<Int> = Processors.allowed
  ) -> [Int] {
    let own = Processors.numberedNodes(in: folder).filter { !$0.value.isDisjoint(with: processors) }
    let numbers = own.keys.sorted()
    guard let last = numbers.last, numbers.count > 1, nodes_have_policy() == 0 else { return [] }
    var mask = [UInt64](repeating: 0, count: last / 64 + 1)
    for number in numbers { mask[number / 64] |= 1 << UInt64(number % 64) }
    return nodes_interleave(mask, mask.count) == 0 ? numbers : []
  }
}
