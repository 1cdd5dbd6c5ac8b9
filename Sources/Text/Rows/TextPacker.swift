/// Lays texts end to end and cuts them into blocks, as the original's pretraining data set does: texts are gathered in
/// groups of 1,000; of a group the blocks of full length are kept and the rest is dropped, unless the whole group is shorter
/// than one block.
struct TextPacker {
  private let maxLength: Int
  private var tokens: [Int32] = []
  /// Where in `tokens` each text begins, and its line.
  private var texts: [(start: Int, line: Int)] = []
  private static let groupSize = 1000

  init(maxLength: Int) { self.maxLength = maxLength }

  /// Adds a text; at the end of a group hands its blocks to `emit`.
  ///
  /// - Returns: how many tokens were dropped.
  mutating func add(_ text: [Int32], line: Int, _ emit: (Sample) throws -> Void) rethrows -> Int {
    texts.append((tokens.count, line))
    tokens += text
    return texts.count == TextPacker.groupSize ? try finishGroup(emit) : 0
  }

  /// Ends the last group, at the end of a file.
  mutating func finishGroup(_ emit: (Sample) throws -> Void) rethrows -> Int {
    defer {
      tokens.removeAll(keepingCapacity: true)
      texts.removeAll(keepingCapacity: true)
    }
    let kept = tokens.count < maxLength ? tokens.count : tokens.count / maxLength * maxLength
    var text = 0
    for start in stride(from: 0, to: kept, by: maxLength) {
      while text + 1 < texts.count, texts[text + 1].start <= start { text += 1 }
      let block = Array(tokens[start..<min(start + maxLength, kept)])
      try emit(Sample(tokens: block, targets: [0..<block.count], line: texts[text].line))
    }
    return tokens.count - kept
  }
}
