import FireflyBase
import FireflyGeneration
import FireflyRanks
import FireflyText

/// Measures how many worked answers end in the right result.
public struct ExactMatch {
  /// A problem, ready to be answered.
  public struct Problem: Sendable {
    public var request: GenerationRequest
    public var question: String
    /// A worked answer with `#### result` at its end.
    public var reference: String

    /// - Throws: `FireflyError` when the row brings no answer, or one without a result.
    public init(_ row: PromptRow, request: GenerationRequest) throws {
      guard let reference = row.reference, WorkedAnswer.result(of: reference) != nil else {
        throw FireflyError(
          "the row has no result to compare with", at: row.place,
          expected: "an answer that ends in \"#### N\"",
          found: row.reference == nil ? "no answer" : "an answer without ####")
      }
      self.request = request
      self.reference = reference
      switch row.content {
      case .text(let text): question = text
      case .messages(let messages): question = messages.last?.content ?? ""
      }
    }
  }

  /// A problem with the model's answer.
  public struct Answer: Sendable, Equatable {
    /// The problem's file and line.
    public var place: String
    public var question: String
    public var reference: String
    public var text: String
    public var finishReason: FinishReason

    public init(
      place: String, question: String, reference: String, text: String, finishReason: FinishReason
    ) {
      self.place = place
      self.question = question
      self.reference = reference
      self.text = text
      self.finishReason = finishReason
    }

    public var isCorrect: Bool { WorkedAnswer.matches(text, reference: reference) }
  }

  public let problems: [Problem]
  /// Problems answered at the same time.
  public var batchSize: Int

  public init(_ problems: [Problem], batchSize: Int = 32) {
    precondition(batchSize > 0)
    self.problems = problems
    self.batchSize = batchSize
  }

  /// Answers every problem that `output` does not have yet.
  ///
  /// - Parameters:
  ///   - output: finished answers, read and added to.
  ///   - progress: is told problems done and their count.
  /// - Throws: `FireflyError` for a problem in `output` that was another one, and for what generation refuses.
  public func run<Model: DecodingModel>(
    _ generator: Generator<Model>, output: ResultFile? = nil,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> ExactMatchReport {
    try run(generator, SharedResults(output), progress: progress)
  }

  /// Of a batch; so many a rank answers before it tells the others.
  private static let batchesPerRound = 8

  /// The same by several ranks, each its share of the problems; all give the whole report.
  package func run<Model: DecodingModel>(
    _ generator: Generator<Model>, _ results: SharedResults, progress: (_ done: Int, _ count: Int) -> Void
  ) throws -> ExactMatchReport {
    let ranks = results.ranks
    var answers = try ranks.agree { try problems.map { try saved($0, in: results.items, results.path) } }
    let open = answers.indices.filter { answers[$0] == nil }
    var done = answers.count - open.count
    progress(done, problems.count)
    let rounds = EvenShares.rounds(
      of: open.map { _ in 1 }, among: ranks.size, perPiece: ExactMatch.batchesPerRound * batchSize)
    for shares in rounds {
      let own = Array(open[shares[ranks.rank]])
      _ = try generator.generate(
        own.map { problems[$0].request }, batchSize: batchSize,
        onFinish: { index, result in
          let problem = problems[own[index]]
          let answer = Answer(
            place: problem.request.place, question: problem.question, reference: problem.reference,
            text: result.text, finishReason: result.finishReason)
          try results.add([(answer.place, answer.json(hash: hash(problem)))])
          answers[own[index]] = answer
          done += 1
          progress(done, problems.count)
        })
      let others = try results.exchange()
      for place in shares.joined() where answers[open[place]] == nil {
        answers[open[place]] = try saved(problems[open[place]], in: others, results.path)
        done += 1
      }
      if !others.isEmpty { progress(done, problems.count) }
    }
    try results.arrange(problems.map(\.request.place))
    return ExactMatchReport(answers: answers.compactMap { $0 })
  }

  private func saved(_ problem: Problem, in items: [String: JSONValue], _ path: String?) throws -> Answer? {
    guard let item = items[problem.request.place] else { return nil }
    guard item["hash"]?.string == hash(problem) else {
      throw FireflyError(
        "the problem of \(problem.request.place) was another one when its answer was saved", at: path,
        fix: "The file of problems has changed: name another file of results.")
    }
    guard let text = item["answer"]?.string,
      let reason = item["finish_reason"]?.string.flatMap(FinishReason.init)
    else {
      throw FireflyError(
        "the answer of \(problem.request.place) is damaged", at: path, fix: "Remove its line.")
    }
    return Answer(
      place: problem.request.place, question: problem.question, reference: problem.reference, text: text,
      finishReason: reason)
  }

  /// Of all problems.
  package var digest: String {
    var digest = StableHash()
    for problem in problems { digest.add("\(problem.request.place) \(hash(problem))".utf8) }
    return digest.text
  }

  private func hash(_ problem: Problem) -> String {
    var hash = StableHash()
    for token in problem.request.prompt { hash.add(UInt64(UInt32(bitPattern: token))) }
    hash.add(problem.reference.utf8)
    return hash.text
  }
}

extension ExactMatch.Answer {
  func json(hash: String? = nil) -> JSONValue {
    var object: [String: JSONValue] = [
      "row": .string(place), "question": .string(question), "answer": .string(text),
      "reference": .string(reference), "correct": .bool(isCorrect),
      "finish_reason": .string(finishReason.rawValue),
    ]
    if let hash { object["hash"] = .string(hash) }
    return .object(object)
  }
}

/// The score and what it is made of.
public struct ExactMatchReport: Sendable, Equatable {
  /// The answers, in the order of the problems.
  public let answers: [ExactMatch.Answer]

  public init(answers: [ExactMatch.Answer]) { self.answers = answers }

  public var correct: Int { answers.count(where: \.isCorrect) }
  /// The share of right answers, 0…1; NaN without problems.
  public var accuracy: Double { answers.isEmpty ? .nan : Double(correct) / Double(answers.count) }
  /// Answers that were ended by their length before they came to a result.
  public var cutOff: Int {
    answers.count { $0.finishReason == .length && WorkedAnswer.result(of: $0.text) == nil }
  }

  /// The report for programs, with every answer.
  public func json(file: String) -> JSONValue {
    .object([
      "task": .string("exact_match"), "file": .string(file), "rows": .int(answers.count),
      "correct": .int(correct), "exact_match": .double(accuracy), "cut_off": .int(cutOff),
      "answers": .array(answers.map { $0.json() }),
    ])
  }
}
