import FireflyBase

/// How a model spells calls of functions, as a format of its answers.
public struct CallFormat: Sendable {
  /// A piece of the spelling.
  public enum Piece: Sendable, Equatable {
    case text(String)
    /// A special token of this name.
    case special(String)
  }

  /// The functions, and the schema of each one's arguments. Without any, the answer may go on as it likes after `before`.
  public var functions: [(name: String, schema: OrderedJSON)]
  /// What stands before the first call's name.
  public var before: [Piece]
  /// What stands between a name and its arguments.
  public var between: [Piece]
  /// What stands behind the last call's arguments.
  public var after: [Piece]
  /// What stands between one call's arguments and the next one's name; nil: there is one call.
  public var next: [Piece]?
  /// What may stand at the very end.
  public var end: [Piece]

  public init(
    functions: [(name: String, schema: OrderedJSON)] = [], before: [Piece], between: [Piece] = [],
    after: [Piece] = [], next: [Piece]? = nil, end: [Piece] = []
  ) {
    self.functions = functions
    self.before = before
    self.between = between
    self.after = after
    self.next = next
    self.end = end
  }
}

extension [CallFormat.Piece] {
  /// What a model writes for the pieces.
  var pattern: TextPattern {
    .sequence(
      map { piece in
        switch piece {
        case .text(let text): .text(text)
        case .special(let name): .special(name)
        }
      })
  }
}

extension TextPattern {
  /// A special token: a byte that no text has, and its name, as `TokenTrie` spells it.
  static func special(_ name: String) -> TextPattern {
    .sequence([.bytes(ByteSet(TokenTrie.specialMark...TokenTrie.specialMark)), .text(name)])
  }

  /// Any bytes, special tokens among them.
  static let anything = TextPattern.repeated(
    .bytes(ByteSet(UInt8.min...UInt8.max)), atLeast: 0, atMost: nil)
}
