import FireflyBase

/// A benchmark's questions and worked examples, read from its files.
public struct BenchmarkQuestions: Sendable {
  public let benchmark: Benchmark
  public let split: String
  /// The subjects that are measured, in the benchmark's order.
  public let subjects: [Benchmark.Subject]
  /// By the subject's key.
  public let questions: [String: [ChoiceQuestion]]
  /// Worked examples, from the split `dev`, by the subject's key.
  public let examples: [String: [ChoiceQuestion]]
  /// Examples in each prompt; a subject may have fewer.
  public let shots: Int

  /// Reads a folder or a zip archive.
  ///
  /// - Parameters:
  ///   - subjects: keys or categories; all that have a file when empty.
  ///   - split: nil for the benchmark's usual one.
  ///   - limit: only the first questions of each subject.
  /// - Throws: `FireflyError` with file and line for what is missing or wrong.
  public init(
    _ benchmark: Benchmark, at path: String, subjects: [String] = [], split: String? = nil, shots: Int = 0,
    limit: Int? = nil
  ) throws {
    precondition(shots >= 0)
    let files = try BenchmarkFiles(benchmark, path)
    let split = split ?? benchmark.defaultSplit
    let wanted = try benchmark.subjects(named: subjects)
    let found = try subjects.isEmpty ? files.available(wanted, split: split) : wanted
    var questions: [String: [ChoiceQuestion]] = [:]
    var examples: [String: [ChoiceQuestion]] = [:]
    for subject in found {
      let all = try files.questions(subject.key, split: split)
      questions[subject.key] = Array(all.prefix(limit ?? .max))
      if shots > 0 { examples[subject.key] = try files.questions(subject.key, split: "dev") }
    }
    self.benchmark = benchmark
    self.split = split
    self.subjects = found
    self.questions = questions
    self.examples = examples
    self.shots = shots
  }

  /// Questions of all subjects.
  public var count: Int { questions.values.reduce(0) { $0 + $1.count } }

  /// Of all questions and examples, with their answers.
  package var digest: String {
    var hash = StableHash()
    for subject in subjects {
      for question in (examples[subject.key] ?? []) + (questions[subject.key] ?? []) {
        let answer = question.answer.map(String.init) ?? ""
        for text in [question.id, question.question] + question.options + [answer] { hash.add(text.utf8) }
      }
    }
    return hash.text
  }
}
