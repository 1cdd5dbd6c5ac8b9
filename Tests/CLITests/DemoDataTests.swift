import FireflyBase
import FireflyDemoData
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

private let problems = ProblemSet(seed: 42)

@Suite struct DemoProblemTests {
  @Test func sameSeedSameProblems() {
    let again = ProblemSet(seed: 42, training: 500, heldOut: 50)
    #expect(again.training == ProblemSet(seed: 42, training: 500, heldOut: 50).training)
    #expect(again.heldOut == ProblemSet(seed: 42, training: 500, heldOut: 50).heldOut)
    #expect(ProblemSet(seed: 43, training: 500, heldOut: 50).training != again.training)
  }

  /// Reads the solutions as a pupil would: every equation of every line must hold, each line's numbers come from
  /// the question or an earlier line, and the last result is the answer.
  @Test func everySolutionIsRight() throws {
    for problem in problems.training + problems.heldOut {
      var lines = problem.solution.split(separator: "\n").map(String.init)
      let answer = lines.removeLast()
      var known = Set(numbers(in: problem.question)).union([2, 3])
      var last: Int?
      for line in lines {
        let equation = String(line.split(whereSeparator: { $0 == ":" || $0 == "：" })[1].dropLast())
        let sides = equation.components(separatedBy: " = ")
        let values = try sides.map { try #require(value(of: $0), "\(problem.solution)") }
        #expect(Set(values).count == 1, "\(problem.solution)")
        #expect(Set(numbers(in: sides[0])).isSubset(of: known), "\(problem.question) \(problem.solution)")
        last = values.last
        known.formUnion(values)
      }
      #expect(answer == "#### \(try #require(last))", "\(problem.solution)")
      #expect((1...199).contains(problem.answer), "\(problem.question)")
    }
  }

  /// A mistaken solution differs from the right one in its last result alone.
  @Test func mistakesAreMistakes() {
    for problem in problems.training {
      let (right, wrong) = (problem.solution, problem.mistakenSolution)
      let answer = wrong.split(separator: "#### ").last.flatMap { Int($0) }
      #expect(answer != nil && answer != problem.answer && (answer ?? 0) > 0, "\(wrong)")
      #expect(right.split(separator: "\n").count == wrong.split(separator: "\n").count)
      #expect(wrong.contains("= \(answer ?? 0)") && !wrong.contains("#### \(problem.answer)\n"))
    }
  }

  @Test func heldOutIsDisjoint() {
    let questions = problems.training.map(\.question)
    #expect(Set(questions).count == questions.count)
    #expect(Set(questions).isDisjoint(with: problems.heldOut.map(\.question)))
    #expect(Set(problems.training.map(\.key)).isDisjoint(with: problems.heldOut.map(\.key)))
  }

  @Test func everyFamilyAndBothLanguagesOnBothSides() {
    #expect(problems.training.count == 5000 && problems.heldOut.count == 200)
    let names = Set(Family.all.map(\.name))
    #expect(Set(problems.training.map(\.family)) == names)
    #expect(Set(problems.heldOut.map(\.family)) == names)
    for side in [problems.training, problems.heldOut] {
      let english = side.filter { $0.language == .english }
      #expect((0.55...0.65).contains(Double(english.count) / Double(side.count)))
      #expect(english.allSatisfy { $0.question.allSatisfy(\.isASCII) })
    }
  }

  private func numbers(in text: String) -> [Int] {
    text.split(whereSeparator: { !("0"..."9").contains($0) }).compactMap { Int($0) }
  }

  /// The value of a number or of two numbers with an operator; nil when it is neither or a division leaves a rest.
  private func value(of side: String) -> Int? {
    let parts = side.split(separator: " ").map(String.init)
    if parts.count == 1 { return Int(parts[0]) }
    guard parts.count == 3, let a = Int(parts[0]), let b = Int(parts[2]) else { return nil }
    switch parts[1] {
    case "+": return a + b
    case "-": return a - b
    case "×": return a * b
    case "÷": return b != 0 && a % b == 0 ? a / b : nil
    default: return nil
    }
  }
}

/// The files as a user gets them.
@Suite struct DemoFilesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
  private static let conversations = root.appending(path: "demo/conversations.jsonl").path

  @Test func everyRowIsATrainingRow() throws {
    try inTemporaryFolder { folder in
      try DemoFiles.write(to: folder, conversations: Self.conversations, seed: 42)
      let training = try load(folder + "/train.jsonl")
      #expect(training.report.rows >= 5240)
      #expect(training.report.kept == training.report.rows)
      #expect(training.report.cutAnswers.count == 0)
      #expect(try load(folder + "/test.jsonl").report.kept == 200)
      let pairs = try Dataset.load(
        folder + "/pairs.jsonl", template: try ChatTemplate.named("qwen"), tokenizer: ScalarTokenizer(),
        maxLength: 2048, maxPromptLength: 512)
      #expect(pairs.report.kept == 1000 && pairs.samples.count == 2000)
    }
  }

  @Test func sameSeedSameBytes() throws {
    try inTemporaryFolder { folder in
      for name in ["a", "b"] {
        try DemoFiles.write(to: "\(folder)/\(name)", conversations: Self.conversations, seed: 42)
      }
      for file in ["train.jsonl", "test.jsonl", "pairs.jsonl"] {
        let first = try Data(contentsOf: URL(filePath: "\(folder)/a/\(file)"))
        #expect(try first == Data(contentsOf: URL(filePath: "\(folder)/b/\(file)")))
      }
    }
  }

  @Test func handWrittenConversationsAreBilingualAndDistinct() throws {
    let rows = try String(contentsOfFile: Self.conversations, encoding: .utf8).split(separator: "\n")
    var openings: Set<String> = []
    var chinese = 0
    var severalTurns = 0
    for row in rows {
      let turns = try #require(
        JSONValue.parse(String(row), source: "conversations")["conversation"]?.array)
      let opening = try #require(turns.first?["human"]?.string)
      #expect(openings.insert(opening).inserted, "twice: \(opening)")
      for text in turns.flatMap({ [$0["human"]?.string, $0["assistant"]?.string] }) {
        let text = try #require(text)
        #expect(!text.isEmpty && text == text.trimmingCharacters(in: .whitespacesAndNewlines), "\(opening)")
      }
      if opening.unicodeScalars.contains(where: { (0x4E00...0x9FFF).contains($0.value) }) { chinese += 1 }
      if turns.count > 1 { severalTurns += 1 }
    }
    #expect(rows.count >= 240)
    #expect((0.4...0.6).contains(Double(chinese) / Double(rows.count)))
    #expect(severalTurns >= 60)
  }

  @Test func badConversationsFileIsNamedByLine() throws {
    try inTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let file = folder + "/rows.jsonl"
      try Data("{\"conversation\": []}\n{\"text\": 1}\n".utf8).write(to: URL(filePath: file))
      let error = #expect(throws: FireflyError.self) {
        try DemoFiles.write(to: folder + "/out", conversations: file, seed: 1)
      }
      #expect(error?.place == file + ":2")
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      #expect(throws: FireflyError.self) {
        try DemoFiles.write(to: folder + "/out", conversations: folder + "/none.jsonl", seed: 1)
      }
    }
  }

  private func load(_ path: String) throws -> Dataset {
    try Dataset.load(
      path, template: try ChatTemplate.named("qwen"), tokenizer: ScalarTokenizer(), maxLength: 2048)
  }

  /// One id a character: enough to see that rows are read and have targets.
  private struct ScalarTokenizer: Tokenizer {
    let vocabularySize = 0x11_0000
    let bos: Int32? = 0
    let eos: Int32? = 1
    let pad: Int32? = nil
    let unk: Int32? = nil
    let addsBOS = false
    let specialIDs: Set<Int32> = [0, 1]
    let chatTemplate: String? = nil

    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
      text.unicodeScalars.map { Int32($0.value) }
    }
    func token(of id: Int32) -> String? { Unicode.Scalar(UInt32(id)).map { String(Character($0)) } }
    func id(of token: String) -> Int32? { token == "<|im_end|>" ? 1 : nil }
    func makeStreamingDecoder(skipSpecial: Bool) -> StreamingDecoder { StreamingDecoder(Silent()) }
    private struct Silent: DecodingState {
      mutating func append(_ id: Int32, to out: inout [UInt8]) {}
      mutating func finish(to out: inout [UInt8]) {}
    }
  }
}
