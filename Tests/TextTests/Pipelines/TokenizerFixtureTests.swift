import FireflyBase
import FireflyText
import Foundation
import Testing

/// Tiny tokenizers of every kind against tokenizers, sentencepiece and tiktoken
/// (tools/reference/tokenizer_fixtures.py).
@Suite struct TokenizerFixtureTests {
  /// One tokenizer's row of vectors.jsonl.
  struct Row: CustomTestStringConvertible, Sendable {
    let file: String
    /// By text.
    let ids: [[Int32]]
    /// By text.
    let decoded: [String]
    let random: [(ids: [Int32], decoded: String)]

    var testDescription: String { file }
  }

  static let rows: [Row] = {
    let folder = TokenizerTests.fixtures
    let texts = (try? JSONValue.read(folder + "/texts.json").array?.compactMap(\.string)) ?? []
    let lines = (try? String(contentsOfFile: folder + "/vectors.jsonl", encoding: .utf8)) ?? ""
    return lines.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let row = try? JSONValue.parse(Data(line), source: "vectors.jsonl") else { return nil }
      func ids(_ json: JSONValue) -> [Int32] { (json.array ?? []).compactMap { $0.int.map(Int32.init) } }
      return Row(
        file: row["file"]?.string ?? "", ids: (row["ids"]?.array ?? []).map(ids),
        decoded: zip(row["decoded"]?.array ?? [], texts).map { $0.string ?? $1 },
        random: (row["random"]?.array ?? []).compactMap { pair in
          guard let pair = pair.array, let text = pair.last?.string else { return nil }
          return (ids(pair[0]), text)
        })
    }
  }()

  private func texts() throws -> [String] {
    try #require(JSONValue.read(TokenizerTests.fixtures + "/texts.json").array).map {
      try #require($0.string)
    }
  }

  @Test func allTokenizersAreThere() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: TokenizerTests.fixtures)
    let tokenizers = names.filter {
      !["MANIFEST.json", "texts.json", "hard", "golden", "keys", "continued", "expressions", "parts"]
        .contains($0)
        && !$0.hasSuffix(".jsonl")
    }
    #expect(Set(Self.rows.map(\.file)) == Set(tokenizers))
    #expect(Self.rows.count > 25)
  }

  @Test(arguments: rows) func encodesAndDecodesAsTheReference(_ row: Row) throws {
    let tokenizer = try Tokenizers.load(TokenizerTests.fixtures + "/" + row.file)
    let texts = try texts()
    #expect(row.ids.count == texts.count)
    #expect(row.decoded.count == texts.count)
    for (index, text) in texts.enumerated() {
      let ids = try tokenizer.encode(text, parseSpecial: !row.file.hasSuffix(".model"))
      #expect(ids == row.ids[index], "\(text.debugDescription)")
      let decoded = tokenizer.decode(row.ids[index], skipSpecial: false)
      guard row.ids[index].allSatisfy({ $0 != tokenizer.unk }) || !row.file.hasSuffix(".model") else {
        continue
      }
      #expect(Array(decoded.utf8) == Array(row.decoded[index].utf8), "\(text.debugDescription)")
    }
  }

  @Test(arguments: rows) func decodesAnyIDs(_ row: Row) throws {
    let tokenizer = try Tokenizers.load(TokenizerTests.fixtures + "/" + row.file)
    #expect(row.random.count == 40)
    for (ids, expected) in row.random {
      let decoded = tokenizer.decode(ids, skipSpecial: false)
      #expect(Array(decoded.utf8) == Array(expected.utf8), "\(ids): \(decoded.debugDescription)")
    }
  }

  @Test(arguments: rows) func streamingNeverSplitsACharacter(_ row: Row) throws {
    let tokenizer = try Tokenizers.load(TokenizerTests.fixtures + "/" + row.file)
    for (ids, decoded) in zip(row.ids, row.decoded) {
      var decoder = tokenizer.makeStreamingDecoder(skipSpecial: false)
      var text = ""
      for id in ids {
        let piece = decoder.append(id)
        #expect(decoded.unicodeScalars.contains("\u{FFFD}") || !piece.unicodeScalars.contains("\u{FFFD}"))
        text += piece
      }
      text += decoder.finish()
      #expect(Array(text.utf8) == Array(tokenizer.decode(ids, skipSpecial: false).utf8))
    }
  }
}
