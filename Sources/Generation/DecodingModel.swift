import FireflyModels
import FireflyTensors

/// What the generator needs of a model: `Transformer` in the program, a table of logits in tests.
public protocol DecodingModel: AnyObject {
  associatedtype Cache: DecodingCache

  /// The longest sequence, prompt and answer together, in tokens.
  var maxPositions: Int { get }
  /// Ids go from 0 up to this.
  var vocabularySize: Int { get }
  /// Elements of a token's hidden state.
  var hiddenSize: Int { get }

  /// Room for the keys and values of one sequence of at most `capacity` tokens.
  func makeCache(capacity: Int) -> Cache

  /// Appends each row's tokens to its cache. What a row gets does not depend on the others.
  ///
  /// - Returns: `[rows, V]` float32, the logits after each row's last token.
  func step(_ rows: [(cache: Cache, tokens: [Int32])]) -> Tensor

  /// Appends each row's tokens to its cache as `step` does, where nobody asks what comes next.
  func read(_ rows: [(cache: Cache, tokens: [Int32])])

  /// Appends tokens to one cache.
  ///
  /// - Returns: `[tokens, V]` float32, the logits after every one.
  func stepKeepingAll(_ cache: Cache, _ tokens: [Int32]) -> Tensor

  /// Appends tokens to one cache.
  ///
  /// - Returns: `[tokens, C]` float32, the last hidden state of every one, behind the last norm.
  func stepKeepingStates(_ cache: Cache, _ tokens: [Int32]) -> Tensor

  /// Puts the adapter kept under `name` on the model, in place of what is there.
  func activate(_ name: String)
}

/// One sequence's keys and values.
public protocol DecodingCache: AnyObject {
  /// How many tokens the cache holds.
  var count: Int { get }
  /// Bytes of memory that the cache holds.
  var byteCount: Int { get }
  /// Forgets all but the first `count` tokens.
  func truncate(to count: Int)
  /// Becomes equal to `other`, with which it has the first `kept` tokens in common already.
  func copy(_ other: Self, keeping kept: Int)
  /// A cache of its own with the first `count` tokens.
  func copy(count: Int) -> Self
}

extension Transformer: DecodingModel {
  public var maxPositions: Int { architecture.maxPositions }
  public var vocabularySize: Int { architecture.vocabularySize }
  public var hiddenSize: Int { architecture.hiddenSize }
}

extension KVCache: DecodingCache {}
