/// Passes text on until a stop string appears, holding back what may become one.
///
/// Works on UTF-8 bytes, so that a stop string is found wherever it stands; pieces in are whole characters, and so
/// are pieces out.
package struct StopFilter: Sendable {
  private let stops: [[UInt8]]
  private var held: [UInt8] = []
  /// Whether a stop string has appeared; nothing passes any more.
  package private(set) var hasStopped = false

  package init(_ stops: [String]) {
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  /// The text that can be shown after `piece` has come.
  package mutating func append(_ piece: String) -> String {
    guard !hasStopped else { return "" }
    guard !stops.isEmpty else { return piece }
    held.append(contentsOf: piece.utf8)
    if let end = firstStop() {
      hasStopped = true
      return take(end)
    }
    return take(held.count - possibleStart())
  }

  /// What was held back, when no more text comes.
  package mutating func finish() -> String {
    hasStopped ? "" : take(held.count)
  }

  private mutating func take(_ count: Int) -> String {
    let text = String(decoding: held[..<count], as: UTF8.self)
    held.removeFirst(count)
    return text
  }

  /// Where the earliest stop string begins.
  private func firstStop() -> Int? {
    held.indices.first { start in stops.contains { held[start...].starts(with: $0) } }
  }

  /// The length of the longest end of the held text that begins a stop string.
  private func possibleStart() -> Int {
    let longest = stops.map(\.count).max() ?? 0
    let lengths = (0..<min(longest, held.count + 1)).reversed()
    return lengths.first { length in
      stops.contains { $0.count > length && $0.starts(with: held.suffix(length)) }
    } ?? 0
  }
}
