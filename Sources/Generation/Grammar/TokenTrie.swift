import FireflyText

/// The tokens of a vocabulary by the bytes they stand for, so that tokens with one beginning are looked at once.
public final class TokenTrie: Sendable {
  /// One byte after those of the nodes above it.
  struct Node {
    let byte: UInt8
    /// Nodes above it.
    let depth: Int
    /// The first node that does not lie below this one.
    fileprivate(set) var next: Int
    /// Where the tokens that end here stand in `ids`.
    fileprivate(set) var tokens: Range<Int>
  }

  /// Each before those below it.
  let nodes: [Node]
  /// The tokens in the order of the nodes.
  let ids: [Int32]
  let vocabularySize: Int
  private let spelling: [Int32: [UInt8]]

  /// The byte that special tokens begin with here, behind which their names stand: no text has it, so that only a format that asks
  /// for one of them has it.
  static let specialMark: UInt8 = 0xFF

  /// Takes every token.
  ///
  /// - Parameter vocabularySize: the model's.
  public init(_ tokenizer: any Tokenizer, vocabularySize: Int) {
    let speller = TokenSpelling(tokenizer)
    let special = tokenizer.specialIDs
    var spelling: [Int32: [UInt8]] = [:]
    for id in 0..<Int32(clamping: min(vocabularySize, tokenizer.vocabularySize)) {
      guard let token = tokenizer.token(of: id) else { continue }
      let bytes = special.contains(id) ? [Self.specialMark] + token.utf8 : speller.bytes(of: id)
      if !bytes.isEmpty { spelling[id] = bytes }
    }
    self.spelling = spelling
    self.vocabularySize = vocabularySize
    let sorted = spelling.sorted { ($0.value, $0.key).0.lexicographicallyPrecedes($1.value) }
    ids = sorted.map(\.key)
    nodes = TokenTrie.nodes(sorted.map(\.value))
  }

  private static func nodes(_ words: [[UInt8]]) -> [Node] {
    var nodes: [Node] = []
    var path: [Int] = []  // the nodes of the word before
    var last: [UInt8] = []
    func leave(to depth: Int) {
      while path.count > depth, let node = path.popLast() { nodes[node].next = nodes.count }
    }
    for (index, word) in words.enumerated() {
      leave(to: zip(word, last).prefix { $0 == $1 }.count)
      for depth in path.count..<word.count {
        path.append(nodes.count)
        nodes.append(Node(byte: word[depth], depth: depth, next: 0, tokens: index..<index))
      }
      let node = path[path.count - 1]
      nodes[node].tokens = nodes[node].tokens.lowerBound..<index + 1
      last = word
    }
    leave(to: 0)
    return nodes
  }

  /// The bytes of a token; none for one that stands for nothing.
  func bytes(of id: Int32) -> [UInt8] { spelling[id] ?? [] }
}
