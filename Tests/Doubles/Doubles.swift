import FireflyGeneration
import FireflyTensors
import FireflyText

/// A tokenizer whose ids are UTF-8 bytes; 256 begins and 257 ends a text.
package struct ByteTokenizer: Tokenizer {
  package static let bos: Int32 = 256
  package static let eos: Int32 = 257

  package let vocabularySize = 258
  package let bos: Int32? = ByteTokenizer.bos
  package let eos: Int32? = ByteTokenizer.eos
  package let pad: Int32? = nil
  package let unk: Int32? = nil
  package let addsBOS = true
  package let specialIDs: Set<Int32> = [ByteTokenizer.bos, ByteTokenizer.eos]
  package var chatTemplate: String?

  package init() {}

  package func encode(_ text: String, parseSpecial: Bool) -> [Int32] { text.utf8.map(Int32.init) }

  package func token(of id: Int32) -> String? {
    switch id {
    case Self.bos: "<s>"
    case Self.eos: "</s>"
    case 0..<128: String(UnicodeScalar(UInt8(id)))
    case 128..<256: "<0x\(String(id, radix: 16, uppercase: true))>"
    default: nil
    }
  }

  package func id(of token: String) -> Int32? {
    switch token {
    case "<s>": Self.bos
    case "</s>": Self.eos
    default: nil
    }
  }

  package func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder { StreamingDecoder(Bytes()) }

  /// Gives bytes out when they complete a character.
  private struct Bytes: DecodingState {
    var held: [UInt8] = []

    mutating func append(_ id: Int32, to out: inout [UInt8]) {
      guard id < 256 else { return }
      held.append(UInt8(id))
      if String(validating: held, as: UTF8.self) != nil { finish(to: &out) }
    }

    mutating func finish(to out: inout [UInt8]) {
      out += Array(String(decoding: held, as: UTF8.self).utf8)
      held = []
    }
  }
}

/// A model whose logits are a function of the whole sequence, so that a wrong cache shows at once.
package final class FunctionModel: DecodingModel {
  package final class Cache: DecodingCache {
    var tokens: [Int32] = []
    let capacity: Int
    init(capacity: Int) { self.capacity = capacity }
    package var count: Int { tokens.count }
    package var byteCount: Int { tokens.count }
    package func truncate(to count: Int) { tokens.removeLast(tokens.count - count) }
    package func copy(_ other: Cache, keeping kept: Int) {
      precondition(tokens[..<kept] == other.tokens[..<kept])
      tokens = other.tokens
    }
    package func copy(count: Int) -> Cache {
      let copy = Cache(capacity: capacity)
      copy.tokens = Array(tokens[..<count])
      return copy
    }
  }

  package var maxPositions = 1000
  package let vocabularySize = 258
  package let hiddenSize = 3
  /// Token counts of each pass, row by row.
  package private(set) var passes: [[Int]] = []
  /// The adapters put on, one after the other.
  package private(set) var activated: [String] = []
  /// Called before each pass.
  package var beforePass: () -> Void = {}
  private let logits: ([Int32]) -> [Float]

  package init(_ logits: @escaping ([Int32]) -> [Float]) { self.logits = logits }

  /// Says `script` after any prompt that ends in `mark`, then ends.
  package convenience init(saying script: String, after mark: Unicode.Scalar = "|") {
    let tokens = script.utf8.map(Int32.init) + [ByteTokenizer.eos]
    self.init { sequence in
      let start = (sequence.lastIndex(of: Int32(UInt8(ascii: mark))) ?? -1) + 1
      return FunctionModel.peak(at: tokens[min(sequence.count - start, tokens.count - 1)])
    }
  }

  /// Logits with one likely token.
  package static func peak(at id: Int32) -> [Float] {
    var logits = [Float](repeating: 0, count: 258)
    logits[Int(id)] = 10
    return logits
  }

  package func makeCache(capacity: Int) -> Cache { Cache(capacity: capacity) }
  package func activate(_ name: String) { activated.append(name) }

  package func read(_ rows: [(cache: Cache, tokens: [Int32])]) {
    beforePass()
    passes.append(rows.map(\.tokens.count))
    for (cache, tokens) in rows { cache.tokens += tokens }
  }

  package func stepKeepingAll(_ cache: Cache, _ tokens: [Int32]) -> Tensor {
    beforePass()
    passes.append([tokens.count])
    var all: [Float] = []
    for token in tokens {
      cache.tokens.append(token)
      all += logits(cache.tokens)
    }
    return Tensor(all, [tokens.count, vocabularySize])
  }

  /// A state tells its token, how many there are up to it, and 1.
  package func stepKeepingStates(_ cache: Cache, _ tokens: [Int32]) -> Tensor {
    beforePass()
    passes.append([tokens.count])
    let states = tokens.flatMap { token in
      cache.tokens.append(token)
      return [Float(token), Float(cache.count), 1]
    }
    return Tensor(states, [tokens.count, hiddenSize])
  }

  package func step(_ rows: [(cache: Cache, tokens: [Int32])]) -> Tensor {
    beforePass()
    passes.append(rows.map(\.tokens.count))
    var all: [Float] = []
    for (cache, tokens) in rows {
      cache.tokens += tokens
      precondition(!tokens.isEmpty && cache.count <= cache.capacity)
      all += logits(cache.tokens)
    }
    return Tensor(all, [rows.count, vocabularySize])
  }
}

/// Prompts, options and generators for the tests.
package func prompt(_ text: String) -> [Int32] { text.utf8.map(Int32.init) }

package func greedy(
  _ maxNewTokens: Int = 50, stop: [String] = [], top: Int = 0
) -> GenerationOptions {
  GenerationOptions(
    sampling: .greedy, maxNewTokens: maxNewTokens, stopIDs: [ByteTokenizer.eos], stopStrings: stop,
    topLogProbabilities: top)
}
