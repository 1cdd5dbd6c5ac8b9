import FireflyBase
import FireflyText

/// Cuts a document into windows so that every token is predicted once, each with as much text before it as its
/// window has.
///
/// The first window predicts all its tokens; each next one begins `stride` tokens later and predicts what the one
/// before has not (the sliding window of transformers' guide to perplexity).
public struct TextWindows: Sendable, Equatable {
  /// Tokens of a window.
  public let length: Int
  /// Tokens from one window's beginning to the next one's. The longest, `length` − 1, costs least; a shorter one
  /// gives each token more context.
  public let stride: Int

  /// - Parameter stride: nil for the longest.
  /// - Throws: `FireflyError` for a length below 2, and a stride that would leave tokens out.
  public init(length: Int, stride: Int? = nil) throws {
    guard length >= 2 else {
      throw FireflyError(
        "the window leaves nothing to predict", expected: "at least 2 tokens", found: "\(length)")
    }
    let stride = stride ?? length - 1
    guard (1..<length).contains(stride) else {
      throw FireflyError(
        "the stride does not fit the window",
        expected: "from 1 to \(length - 1), the window's length less one",
        found: "\(stride)")
    }
    self.length = length
    self.stride = stride
  }

  /// The windows of one document; none when it has a single token, which nothing precedes.
  ///
  /// - Parameter tokens: with the begin-of-sequence token where the model expects one; the first token is context only.
  package func samples(_ tokens: [Int32], line: Int) -> [Sample] {
    var samples: [Sample] = []
    var done = 1
    var start = 0
    while done < tokens.count {
      let end = min(start + length, tokens.count)
      samples.append(
        Sample(tokens: Array(tokens[start..<end]), targets: [done - start..<end - start], line: line))
      done = end
      start += stride
    }
    return samples
  }
}
