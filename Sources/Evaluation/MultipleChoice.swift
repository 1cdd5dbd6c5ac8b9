import FireflyBase
import FireflyModels
import FireflyRanks
import FireflyText

/// Measures a model on a multiple-choice benchmark.
///
///     let questions = try BenchmarkQuestions(.mmlu, at: "mmlu.zip", shots: 5)
///     let report = try MultipleChoice(questions, method: .letter).run(model, tokenizer: pretrained.tokenizer)
///     print(report.table)
public struct MultipleChoice: Sendable {
  public let questions: BenchmarkQuestions
  public var method: ChoiceMethod
  /// nil: plain text, as the benchmarks publish it.
  public var template: ChatTemplate?
  /// Replaces the template's system text.
  public var system: String?
  /// Tokens of a prompt and its answer together; nil for the model's longest sequence.
  public var maxLength: Int?
  /// The most prompts of a pass.
  public var batchSize: Int

  public init(
    _ questions: BenchmarkQuestions, method: ChoiceMethod, template: ChatTemplate? = nil,
    system: String? = nil, maxLength: Int? = nil, batchSize: Int = 8
  ) {
    precondition(batchSize > 0 && maxLength ?? 1 > 0)
    self.questions = questions
    self.method = method
    self.template = template
    self.system = system
    self.maxLength = maxLength
    self.batchSize = batchSize
  }

  /// Scores every question that `output` does not have yet.
  ///
  /// - Parameters:
  ///   - output: finished questions, read and added to.
  ///   - progress: is told questions done and their count.
  /// - Throws: `FireflyError` for a question in `output` that had another prompt, a text that the tokenizer refuses,
  ///   and a likelihood that is not a finite number.
  public func run(
    _ model: Transformer, tokenizer: any Tokenizer, output: ResultFile? = nil,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> MultipleChoiceReport {
    try run(model, tokenizer: tokenizer, SharedResults(output), progress: progress)
  }

  /// Groups of prompts that a rank scores before it tells the others.
  private static let groupsPerRound = 4

  /// The same by several ranks, each its share of every subject; all give the whole report.
  package func run(
    _ model: Transformer, tokenizer: any Tokenizer, _ results: SharedResults,
    progress: (_ done: Int, _ count: Int) -> Void
  ) throws -> MultipleChoiceReport {
    let encoder = ChoiceEncoder(
      tokenizer: tokenizer, template: template, system: system,
      maxLength: min(maxLength ?? .max, model.architecture.maxPositions))
    let scorer = ChoiceScorer(model: model, maxPrompts: batchSize)
    var answers: [ChoiceAnswer] = []
    for subject in questions.subjects {
      let asked = questions.questions[subject.key] ?? []
      let before = answers.count
      answers += try answer(asked, subject, encoder, scorer, results) {
        progress(before + $0, questions.count)
      }
    }
    try results.arrange(answers.map(\.question.id))
    return MultipleChoiceReport(questions: questions, method: method, answers: answers)
  }

  /// The questions of one subject, in their order.
  private func answer(
    _ asked: [ChoiceQuestion], _ subject: Benchmark.Subject, _ encoder: ChoiceEncoder, _ scorer: ChoiceScorer,
    _ results: SharedResults, _ progress: (Int) -> Void
  ) throws -> [ChoiceAnswer] {
    let prompts = asked.map { question in { shots in self.prompt(question, subject, shots: shots) } }
    let hashes = prompts.map { hash($0(questions.shots)) }
    func saved(_ index: Int, in items: [String: JSONValue]) throws -> ChoiceAnswer? {
      try self.saved(asked[index], hash: hashes[index], in: items, results.path)
    }
    let ranks = results.ranks
    var answers = try ranks.agree { try asked.indices.map { try saved($0, in: results.items) } }
    var done = answers.count { $0 != nil }
    progress(done)
    guard done < asked.count else { return answers.compactMap { $0 } }

    let encoded = try ranks.agree { try encode(asked, prompts, subject, encoder, scorer) }
    let open = scorer.groups(encoded).filter { $0.members.contains { answers[$0] == nil } }
    var common: (tokens: [Int32], cache: KVCache?)?
    for shares in EvenShares.rounds(
      of: open.map { scorer.tokens($0, encoded) }, among: ranks.size, perPiece: MultipleChoice.groupsPerRound)
    {
      for group in open[shares[ranks.rank]] {
        if common?.tokens != group.common { common = (group.common, scorer.read(group.common)) }
        let scores = scorer.score(group, encoded, common: common?.cache)
        var finished: [(id: String, item: JSONValue)] = []
        for (index, scores) in zip(group.members, scores) where answers[index] == nil {
          let answer = try ChoiceAnswer(asked[index], encoded[index], scores)
          answers[index] = answer
          finished.append((asked[index].id, answer.json(hash: hashes[index])))
        }
        try results.add(finished)
        done += finished.count
        progress(done)
      }
      let others = try results.exchange()
      for index in answers.indices where answers[index] == nil {
        answers[index] = try saved(index, in: others)
        if answers[index] != nil { done += 1 }
      }
      if !others.isEmpty { progress(done) }
    }
    return answers.compactMap { $0 }
  }

  /// The prompts as tokens, with as many examples as fit.
  private func encode(
    _ asked: [ChoiceQuestion], _ prompts: [(Int) -> ChoicePrompt], _ subject: Benchmark.Subject,
    _ encoder: ChoiceEncoder, _ scorer: ChoiceScorer
  ) throws -> [EncodedChoice] {
    let shots = min(questions.shots, questions.examples[subject.key]?.count ?? 0)
    return try zip(asked, prompts).map { question, prompt in
      let encoded = try encoder.encode(shots: shots, place: question.id, prompt)
      try checkVocabulary(encoded, question, scorer.model)
      return encoded
    }
  }

  private func prompt(_ question: ChoiceQuestion, _ subject: Benchmark.Subject, shots: Int) -> ChoicePrompt {
    ChoicePrompt(
      question, examples: (questions.examples[subject.key] ?? []).prefix(shots), subject: subject,
      wording: questions.benchmark.wording, method: method)
  }

  /// A hash of everything that the question's prompt is made of.
  private func hash(_ prompt: ChoicePrompt) -> String {
    var hash = StableHash()
    hash.add(prompt.text.utf8)
    for option in prompt.options { hash.add(option.utf8) }
    return hash.text
  }

  private func saved(
    _ question: ChoiceQuestion, hash: String, in items: [String: JSONValue], _ path: String?
  ) throws -> ChoiceAnswer? {
    guard let item = items[question.id] else { return nil }
    guard item["hash"]?.string == hash else {
      throw FireflyError(
        "the question \(question.id) had another prompt when its result was saved", at: path,
        fix: "The benchmark's files have changed: name another file.")
    }
    guard let answer = ChoiceAnswer(question, item) else {
      throw FireflyError("the result of \(question.id) is damaged", at: path, fix: "Remove its line.")
    }
    return answer
  }

  private func checkVocabulary(_ encoded: EncodedChoice, _ question: ChoiceQuestion, _ model: Transformer)
    throws
  {
    let limit = Int32(clamping: model.architecture.vocabularySize)
    guard let id = (encoded.context + encoded.options.joined()).first(where: { $0 < 0 || $0 >= limit })
    else { return }
    throw FireflyError(
      "the tokenizer gives an id that the model does not have", at: question.id, expected: "below \(limit)",
      found: "\(id)", fix: "The tokenizer and the weights do not belong together.")
  }

  /// What decides the results beside model and questions, for `ResultFile`.
  public var settings: [String: JSONValue] {
    [
      "task": .string(questions.benchmark.name), "split": .string(questions.split),
      "shots": .int(questions.shots), "method": .string(method.rawValue),
      "template": template.map { .string($0.name) } ?? .null, "system": system.map(JSONValue.string) ?? .null,
      "max_length": maxLength.map(JSONValue.int) ?? .null,
    ]
  }
}

extension ChoiceAnswer {
  /// - Throws: `FireflyError` for a likelihood that is not a finite number.
  fileprivate init(_ question: ChoiceQuestion, _ prompt: EncodedChoice, _ scores: [OptionScore]) throws {
    self.init(question: question, scores: scores, shots: prompt.shots, isCut: prompt.isCut)
    try checkFinite()
  }
}
