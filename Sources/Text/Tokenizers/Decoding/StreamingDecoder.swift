/// Turns ids into text as they come, without ever splitting a character.
///
/// The pieces joined equal the tokenizer's `decode` of all ids. A value: a copy goes on independently.
public struct StreamingDecoder: Sendable {
  private var state: any DecodingState

  package init(_ state: any DecodingState) { self.state = state }

  /// The text that `id` completes; empty while a character is incomplete.
  public mutating func append(_ id: Int32) -> String {
    var out = [UInt8]()
    state.append(id, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// What is left when no more ids come: incomplete characters as U+FFFD. Call it once, last.
  public mutating func finish() -> String {
    var out = [UInt8]()
    state.finish(to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}

/// One vocabulary's rule of decoding; everything it appends is whole UTF-8 characters.
package protocol DecodingState: Sendable {
  mutating func append(_ id: Int32, to out: inout [UInt8])
  mutating func finish(to out: inout [UInt8])
}
