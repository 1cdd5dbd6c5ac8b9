/// Decoding through steps, each taking the tokens that the one before gives.
struct StepwiseDecoding: DecodingState {
  enum Step: Sendable {
    case replace([UInt8], with: [UInt8])
    /// `<0xE4>` is a byte.
    case byteFallback
    /// From here on all is one token.
    case fuse
    /// Takes up to so many of `content` from a token's start and end.
    case strip(content: [UInt8], start: Int, stop: Int)
    /// `replacement` is a space; the first token loses it when `dropsFirst`.
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    /// A space between tokens.
    case join
    /// A token without `prefix` begins a word; `cleansUp` also takes spaces from before English punctuation.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    /// `suffix` ends a word.
    case wordSuffix([UInt8])
  }

  let rules: DecodingRules
  private let steps: [Step]
  private var assembler = UTF8Assembler(.wholeRun)
  /// Whether nothing came yet to a step that treats the first token differently.
  private var isFirst = true
  /// The token before, which only its successor completes.
  private var held: [UInt8]?
  /// How many more characters the step after `fuse` may take from the start of the text; nil before its start.
  private var strippable: Int?
  /// How many characters at the end of the fused text are kept back, because they go if nothing follows.
  private var keptBack = 0

  init(rules: DecodingRules, steps: [Step]) {
    self.rules = rules
    self.steps = steps
  }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard let token = rules.token(of: id) else { return }
    pass(Array(token), from: 0, isFused: false, to: &out)
  }

  mutating func finish(to out: inout [UInt8]) {
    for (index, step) in steps.enumerated() {
      switch step {
      case .byteFallback: endRun(after: index, to: &out)
      case .wordSuffix(let suffix):
        guard let token = held else { continue }
        held = nil
        pass(replaceBytes(token, suffix, with: []), from: index + 1, isFused: isFused(index), to: &out)
      default: continue
      }
    }
  }

  private func isFused(_ index: Int) -> Bool {
    steps[..<index].contains { if case .fuse = $0 { true } else { false } }
  }

  private mutating func pass(_ token: [UInt8], from index: Int, isFused: Bool, to out: inout [UInt8]) {
    guard index < steps.count else {
      out += token
      return
    }
    var token = token
    switch steps[index] {
    case .replace(let pattern, let content):
      token = replaceBytes(token, pattern, with: content)
    case .byteFallback:
      if let byte = byteOfToken(token) {
        // Only whole runs are passed on, so nothing comes out here.
        assembler.append(byte, to: &out)
        return
      }
      endRun(after: index, to: &out)
    case .fuse:
      return pass(token, from: index + 1, isFused: true, to: &out)
    case .strip(let content, let start, let stop):
      token = strip(token, content, start: start, stop: stop, isFused: isFused)
    case .metaspace(let replacement, let dropsFirst):
      let space: [UInt8] = dropsFirst && isFirst ? [] : [UInt8(ascii: " ")]
      token = replaceBytes(token, replacement, with: space)
      isFirst = false
    case .join:
      if !isFirst { token.insert(UInt8(ascii: " "), at: 0) }
      isFirst = false
    case .wordPiece(let prefix, let cleansUp):
      token = wordPiece(token, prefix, cleansUp: cleansUp)
    case .wordSuffix(let suffix):
      let previous = held
      held = token
      guard let previous else { return }
      token = replaceBytes(previous, suffix, with: [UInt8(ascii: " ")])
    }
    pass(token, from: index + 1, isFused: isFused, to: &out)
  }

  private mutating func endRun(after index: Int, to out: inout [UInt8]) {
    var run: [UInt8] = []
    assembler.finish(to: &run)
    if !run.isEmpty { pass(run, from: index + 1, isFused: false, to: &out) }
  }

  private mutating func strip(
    _ token: [UInt8], _ content: [UInt8], start: Int, stop: Int, isFused: Bool
  ) -> [UInt8] {
    var rest = token[...]
    var left = isFused ? strippable ?? start : start
    while left > 0, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      left -= 1
    }
    if isFused { strippable = rest.isEmpty ? left : 0 }
    if isFused && stop > 0 { return keepBack(rest, content, atMost: stop) }
    var right = stop
    while right > 0, !rest.isEmpty, rest.suffix(content.count).elementsEqual(content) {
      rest = rest.dropLast(content.count)
      right -= 1
    }
    return Array(rest)
  }

  /// The fused text goes on with `rest`; what may have to go at its end is kept back.
  private mutating func keepBack(_ rest: ArraySlice<UInt8>, _ content: [UInt8], atMost most: Int) -> [UInt8] {
    var text = Array(repeatElement(content, count: keptBack).joined()) + rest
    keptBack = 0
    while keptBack < most, !text.isEmpty, text.suffix(content.count).elementsEqual(content) {
      text.removeLast(content.count)
      keptBack += 1
    }
    return text
  }

  private mutating func wordPiece(_ token: [UInt8], _ prefix: [UInt8], cleansUp: Bool) -> [UInt8] {
    var token = token
    if !isFirst {
      if token.starts(with: prefix) { token.removeFirst(prefix.count) } else { token.insert(0x20, at: 0) }
    }
    isFirst = false
    guard cleansUp else { return token }
    for (found, instead) in StepwiseDecoding.cleanedUp {
      token = replaceBytes(token, Array(found.utf8), with: Array(instead.utf8))
    }
    return token
  }

  private static let cleanedUp = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ]
}
