import FireflyBase
import FireflyModels
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
    let encoder = ChoiceEncoder(
      tokenizer: tokenizer, template: template, system: system,
      maxLength: min(maxLength ?? .max, model.architecture.maxPositions))
    let scorer = ChoiceScorer(model: model, maxPrompts: batchSize)
    var answers: [ChoiceAnswer] = []
    for subject in questions.subjects {
      let asked = questions.questions[subject.key] ?? []
      let before = answers.count
      answers += try answer(asked, subject, encoder, scorer, output) {
        progress(before + $0, questions.count)
      }
    }
    return MultipleChoiceReport(questions: questions, method: method, answers: answers)
  }

  /// The questions of one subject, in their order.
  private func answer(
    _ asked: [ChoiceQuestion], _ subject: Benchmark.Subject, _ encoder: ChoiceEncoder, _ scorer: ChoiceScorer,
    _ output: ResultFile?, _ progress: (Int) -> Void
  ) throws -> [ChoiceAnswer] {
    let prompts = asked.map { question in { shots in self.prompt(question, subject, shots: shots) } }
    let hashes = prompts.map { hash($0(questions.shots)) }
    var answers = try zip(asked, hashes).map { try saved($0, hash: $1, in: output) }
    var done = answers.count { $0 != nil }
    progress(done)
    guard done < asked.count else { return answers.compactMap { $0 } }

    let shots = min(questions.shots, questions.examples[subject.key]?.count ?? 0)
    let encoded = try zip(asked, prompts).map { question, prompt in
      let encoded = try encoder.encode(shots: shots, place: question.id, prompt)
      try checkVocabulary(encoded, question, scorer.model)
      return encoded
    }
    var common: (tokens: [Int32], cache: KVCache?)?
    for group in scorer.groups(encoded) where group.members.contains(where: { answers[$0] == nil }) {
      if common?.tokens != group.common { common = (group.common, scorer.read(group.common)) }
      let scores = scorer.score(group, encoded, common: common?.cache)
      var finished: [(id: String, item: JSONValue)] = []
      for (index, scores) in zip(group.members, scores) where answers[index] == nil {
        let answer = ChoiceAnswer(
          question: asked[index], scores: scores, shots: encoded[index].shots, isCut: encoded[index].isCut)
        try answer.checkFinite()
        answers[index] = answer
        finished.append((asked[index].id, answer.json(hash: hashes[index])))
      }
      try output?.append(finished)
      done += finished.count
      progress(done)
    }
    return answers.compactMap { $0 }
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

  private func saved(_ question: ChoiceQuestion, hash: String, in output: ResultFile?) throws -> ChoiceAnswer?
  {
    guard let output, let item = output.items[question.id] else { return nil }
    guard item["hash"]?.string == hash else {
      throw FireflyError(
        "the question \(question.id) had another prompt when its result was saved", at: output.path,
        fix: "The benchmark's files have changed: name another file.")
    }
    guard let answer = ChoiceAnswer(question, item) else {
      throw FireflyError("the result of \(question.id) is damaged", at: output.path, fix: "Remove its line.")
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
