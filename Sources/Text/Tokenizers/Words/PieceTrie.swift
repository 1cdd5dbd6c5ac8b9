/// Tokens as a tree of bytes: finds the tokens that a text goes on with.
final class PieceTrie: Sendable {
  /// The edges, from (node, byte) to the node below (`id`) and the token that ends there (`rank`, −1 for none).
  private let children: PairTable
  private let starts: [Bool]

  /// - Parameter pieces: none of them empty; of two that are equal the later one stands.
  init(_ pieces: [(bytes: ArraySlice<UInt8>, id: Int32)]) {
    children = PairTable(count: pieces.count)
    var starts = [Bool](repeating: false, count: 256)
    var nodes: Int32 = 1
    for piece in pieces {
      guard let first = piece.bytes.first, let last = piece.bytes.indices.last else { continue }
      starts[Int(first)] = true
      var node: Int32 = 0
      for (index, byte) in zip(piece.bytes.indices, piece.bytes) {
        let known = children.find(node, Int32(byte))
        let child = known?.id ?? nodes
        if known == nil { nodes += 1 }
        if known == nil || index == last {
          children.insert(node, Int32(byte), rank: index == last ? piece.id : -1, id: child)
        }
        node = child
      }
    }
    self.starts = starts
  }

  /// Whether a token begins with `byte`.
  @inline(__always)
  func mayStart(with byte: UInt8) -> Bool { starts[Int(byte)] }

  /// Calls `body` with every token that stands at `position` and where it ends, the shortest first.
  @inline(__always)
  func forEachPrefix(
    of text: UnsafeRawBufferPointer, at position: Int, _ body: (_ id: Int32, _ end: Int) -> Void
  ) {
    var node: Int32 = 0
    var position = position
    while position < text.count, let child = children.find(node, Int32(text[position])) {
      position += 1
      if child.rank >= 0 { body(child.rank, position) }
      node = child.id
    }
  }

  /// The longest token that stands at `position`.
  func longest(in text: UnsafeRawBufferPointer, at position: Int) -> (id: Int32, end: Int)? {
    var found: (id: Int32, end: Int)?
    forEachPrefix(of: text, at: position) { found = ($0, $1) }
    return found
  }
}
