/// A training row as running text, cut where what is learnt begins and ends.
package struct SampleText: Sendable {
  package struct Piece: Equatable, Sendable {
    package var text: String
    /// Whether its tokens count in the loss.
    package var isTarget: Bool
  }

  package let pieces: [Piece]

  /// - Parameter mostTokens: of the row's beginning; nil for all.
  package init(_ sample: Sample, _ tokenizer: any Tokenizer, mostTokens: Int? = nil) {
    var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
    var pieces: [Piece] = []
    for (position, id) in sample.tokens.prefix(mostTokens ?? .max).enumerated() {
      let isTarget = sample.targets.contains { $0.contains(position) }
      let text = decoder.append(id)
      if pieces.last?.isTarget == isTarget {
        pieces[pieces.count - 1].text += text
      } else {
        pieces.append(Piece(text: text, isTarget: isTarget))
      }
    }
    self.pieces = pieces
  }
}
