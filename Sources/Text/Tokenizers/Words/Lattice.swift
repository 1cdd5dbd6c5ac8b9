/// The best way to every place of a word.
struct Lattice {
  /// The numbers that decide between cuts, so that ties fall as in the reference.
  enum Arithmetic: Sendable {
    /// Sums in single precision (SentencePiece; before 0.2.2 it compared them in double precision, so that some ties fell
    /// otherwise).
    case single
    /// Sums in double precision (Hugging Face's tokenizers).
    case double

    @inline(__always)
    func round(_ value: Double) -> Double { self == .single ? Double(Float(value)) : value }
  }

  private struct Node {
    var score = 0.0
    /// The last token of the way; −1 for an unknown character.
    var id: Int32 = -1
    /// Where that token starts; −1 while no way is known.
    var start: Int32 = -1
  }

  private var nodes: [Node] = []
  /// The tokens of the best way, the last one first.
  private(set) var path: [(id: Int32, range: Range<Int>)] = []

  mutating func reset(_ count: Int) {
    nodes.removeAll(keepingCapacity: true)
    nodes.append(contentsOf: repeatElement(Node(), count: count + 1))
  }

  func score(at position: Int) -> Double { nodes[position].score }

  /// Takes a token as the last one of the way to its end when that is better than what is known.
  @inline(__always)
  mutating func offer(
    _ id: Int32, _ range: Range<Int>, _ score: Double, _ arithmetic: Arithmetic
  ) {
    let score = arithmetic.round(score)
    guard nodes[range.upperBound].start < 0 || score > nodes[range.upperBound].score else { return }
    nodes[range.upperBound] = Node(score: score, id: id, start: Int32(range.lowerBound))
  }

  /// Fills `path` with the best way to `end`.
  mutating func trace(from end: Int) {
    path.removeAll(keepingCapacity: true)
    var end = end
    while end > 0 {
      let node = nodes[end]
      path.append((node.id, Int(node.start)..<end))
      end = Int(node.start)
    }
  }
}
