import FireflyBase

/// Whether a machine whose memory lies in several nodes, usually one a socket, should have a rank on each of them: threads that
/// read the other node's memory wait for the link between the two.
package struct NodeAdvice {
  /// Nodes on whose processors this process runs.
  let nodes: Int
  /// Ranks that the run has so far.
  let ranks: Int
  /// Rows, or whole micro-batches, that ranks can share in a step.
  let units: Int
  /// Bytes that a rank needs, and that there are for all ranks of a machine; nil: not known.
  let needed: Int
  let limit: Int?

  package init(nodes: Int, ranks: Int, units: Int, needed: Int, limit: Int?) {
    self.nodes = nodes
    self.ranks = ranks
    self.units = units
    self.needed = needed
    self.limit = limit
  }

  /// What to do; nil where it would not pay: there is one node, or there are too few rows or too little memory.
  package var line: String? {
    guard nodes > 1, units >= ranks * nodes, limit.map({ nodes * needed <= $0 }) ?? true else { return nil }
    return
      "the processors are on \(nodes) memory nodes, and a rank on each keeps its memory beside its threads: "
      + "mpirun -n \(ranks * nodes) --map-by numa --bind-to numa firefly train …"
  }
}
