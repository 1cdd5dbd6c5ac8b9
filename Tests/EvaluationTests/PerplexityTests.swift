import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

@Suite struct PerplexityTests {
  private func sample(_ text: String, targets: [Range<Int>], line: Int = 1) -> Sample {
    Sample(tokens: text.utf8.map(Int32.init), targets: targets, line: line)
  }

  private var samples: [Sample] {
    [
      sample("what is it?", targets: [8..<11]),
      sample("a longer row with two answers", targets: [3..<9, 20..<29]),
      sample("no", targets: [1..<2]), sample("the last of the rows", targets: [0..<20]),
    ]
  }

  /// Target by target, in double precision.
  private func naive(_ model: Transformer, _ sample: Sample) -> TargetSums {
    var sums = TargetSums(targets: sample.targetCount, tokens: sample.tokens.count, rows: 1)
    for position in sample.targets.joined() {
      let (logLikelihood, isGreedy) = model.naiveLogLikelihood(
        Array(sample.tokens[..<position]), [sample.tokens[position]])
      sums.loss -= logLikelihood
      if isGreedy { sums.correct += 1 }
    }
    return sums
  }

  private func expectEqual(_ found: TargetSums, _ expected: TargetSums) {
    #expect(abs(found.loss - expected.loss) <= 1e-5 * expected.loss, "\(found) \(expected)")
    #expect(found.targets == expected.targets && found.correct == expected.correct)
    #expect(found.tokens == expected.tokens && found.rows == expected.rows)
  }

  @Test(arguments: [(1, Int.max), (2, .max), (.max, 24), (.max, .max)])
  func eachRowHasItsOwnLoss(_ maxRows: Int, _ maxTokens: Int) throws {
    let model = try TinyModel.make()
    let perplexity = Perplexity(model: model, maxRows: maxRows, maxTokens: maxTokens)
    var rows: [TargetSums] = []
    let total = try perplexity.measure(samples) { range, sums in
      #expect(range.lowerBound == rows.count && range.count == sums.count)
      #expect(range.count <= maxRows)
      rows += sums
    }
    #expect(rows.count == samples.count)
    var expected = TargetSums()
    for (found, sample) in zip(rows, samples) {
      let naive = naive(model, sample)
      expectEqual(found, naive)
      expected += naive
    }
    expectEqual(total, expected)
    #expect(total.targets == 38)
    #expect(abs(total.perplexity - exp(expected.loss / 38)) <= 1e-4 * total.perplexity)
  }

  /// Half of the targets are what the model says itself.
  @Test func accuracyCountsTheModelsFirstChoices() throws {
    let model = try TinyModel.make()
    var tokens: [Int32] = [65]
    for _ in 0..<10 {
      let scores = (0..<Int32(TinyModel.vocabulary)).map { model.naiveLogLikelihood(tokens, [$0]) }
      tokens.append(Int32(scores.firstIndex { $0.isGreedy } ?? -1))
      tokens.append(Int32(scores.firstIndex { !$0.isGreedy } ?? -1))
    }
    let sums = try Perplexity(model: model).measure([Sample(tokens: tokens, targets: [1..<21], line: 1)])
    #expect(sums.accuracy == 0.5)
  }

  @Test func withoutTargetsNothingIsANumber() {
    let sums = TargetSums()
    #expect(sums.meanLoss.isNaN && sums.perplexity.isNaN && sums.accuracy.isNaN)
  }

  // MARK: - Plain text

  @Test(arguments: [(5, 4), (5, 1), (8, 3), (100, 99), (2, 1)])
  func everyTokenIsATargetOnce(_ length: Int, _ stride: Int) throws {
    let tokens = (0..<23).map { Int32($0) }
    let windows = try TextWindows(length: length, stride: stride)
    var covered: [Int32] = []
    for sample in windows.samples(tokens, line: 7) {
      #expect(sample.tokens.count <= length && sample.line == 7)
      #expect(sample.targets.count == 1)
      for position in sample.targets.joined() {
        covered.append(sample.tokens[position])
        // Before it stand the tokens before it, as many as the stride leaves at least.
        #expect(sample.tokens[position] == sample.tokens[0] + Int32(position))
        #expect(position >= min(Int(sample.tokens[position]), length - stride))
      }
    }
    #expect(covered == Array(tokens.dropFirst()))
  }

  @Test func theWindowOfOneTokenIsNone() throws {
    #expect(try TextWindows(length: 5).samples([1], line: 1).isEmpty)
    #expect(try TextWindows(length: 5).stride == 4)
  }

  @Test(arguments: [(1, nil), (5, 5), (5, 0)] as [(Int, Int?)])
  func windowsThatLeaveTokensOutAreRefused(_ length: Int, _ stride: Int?) {
    #expect(throws: FireflyError.self) { try TextWindows(length: length, stride: stride) }
  }

  @Test func documentsAreReadFromTextAndRows() throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write("\u{FEFF}one document\nof two lines", to: "a.txt")
    let rows = try folder.write(
      "{\"text\": \"first\", \"n\": 1}\n\n{\"text\": \"sécond\"}\n{\"text\": \"\"}\n", to: "b.jsonl")
    let windows = try TextWindows(length: 10)
    let one = try EvaluationText.text(plain, tokenizer: ByteTokenizer(), windows: windows)
    #expect(try EvaluationText.kind(of: plain) == .text && EvaluationText.kind(of: rows) == .text)
    #expect(one.bytes == 25 && one.samples.reduce(0) { $0 + $1.targetCount } == 25)
    #expect(one.samples[0].tokens[0] == 256)
    #expect(one.names == ["1", "1+1", "1+2"])
    let two = try EvaluationText.text(rows, tokenizer: ByteTokenizer(addsBOS: false), windows: windows)
    #expect(two.names == ["1", "3"])
    #expect(two.samples.map(\.targetCount) == [4, 6])  // no token before the first
    #expect(two.notes.last == "documents without anything to predict: 1")
  }

  @Test func conversationsAreToldByTheirKeys() throws {
    let folder = try TemporaryFolder()
    let rows = try folder.write(
      #"{"conversation": [{"human": "q", "assistant": "a"}], "text": "x"}"#, to: "a.jsonl")
    #expect(try EvaluationText.kind(of: rows) == .conversations)
    let text = try EvaluationText.conversations(
      rows, template: .named("firefly"), tokenizer: ByteTokenizer(), maxLength: 100)
    #expect(text.samples[0].targetCount == 2 && text.bytes == nil)  // "a" and the token that ends it
  }

  @Test(arguments: [
    ("a.jsonl", "{\"text\": \"x\"}\n{\"txt\": \"y\"}\n", ":2", "the row has no text"),
    ("a.jsonl", "{\"text\": 1}\n", ":1", "the row has no text"),
    ("a.jsonl", "\n", "", "the file has no rows"), ("a.txt", "", "", "the file has no text to predict"),
  ])
  func badTextIsNamed(_ name: String, _ content: String, _ place: String, _ what: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(content, to: name)
    let error = #expect(throws: FireflyError.self) {
      try EvaluationText.text(
        path, tokenizer: ByteTokenizer(addsBOS: false), windows: TextWindows(length: 10))
    }
    #expect(error?.what == what)
    #expect(error?.place == path + place)
  }

  // MARK: - Going on

  @Test func aRunGoesOnWhereItStopped() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      (0..<6).map { "{\"text\": \"row number \($0) of the text\"}" }.joined(separator: "\n"), to: "a.jsonl")
    let text = try EvaluationText.text(
      path, tokenizer: ByteTokenizer(), windows: TextWindows(length: 16))
    let perplexity = Perplexity(model: try TinyModel.make(), maxTokens: 40)
    let output = folder.path + "/results.jsonl"
    var shares: [Int] = []
    let whole = try perplexity.run([text], output: ResultFile(output, settings: [:])) { done, count in
      shares.append(100 * done / count)
    }
    #expect(shares.last == 100 && shares == shares.sorted() && shares.count > 2)

    // The last three rows, and half of one more.
    let complete = try folder.text("results.jsonl")
    var lines = complete.split(separator: "\n")
    lines.removeLast(3)
    try folder.write(lines.joined(separator: "\n") + "\n" + lines[2].prefix(20), to: "results.jsonl")
    let second = try perplexity.run([text], output: ResultFile(output, settings: [:]))
    #expect(try folder.text("results.jsonl") == complete)
    #expect(second.total == whole.total)
    #expect(try perplexity.run([text]).total == whole.total)
  }

  @Test func aChangedRowIsNotTakenFromTheResults() throws {
    let folder = try TemporaryFolder()
    let perplexity = Perplexity(model: try TinyModel.make())
    let output = folder.path + "/results.jsonl"
    func run(_ text: String) throws {
      let path = try folder.write(text, to: "a.txt")
      let text = try EvaluationText.text(path, tokenizer: ByteTokenizer(), windows: TextWindows(length: 16))
      _ = try perplexity.run([text], output: ResultFile(output, settings: [:]))
    }
    try run("some text")
    let error = #expect(throws: FireflyError.self) { try run("some other text") }
    #expect(error?.what.contains("was another one when its result was saved") == true)
  }
}
