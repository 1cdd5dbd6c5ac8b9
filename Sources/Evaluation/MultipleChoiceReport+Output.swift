import FireflyBase

// MARK: - A question's result

extension ChoiceAnswer {
  /// The answer for `ResultFile` and the report.
  func json(hash: String? = nil) -> JSONValue {
    var object: [String: JSONValue] = [
      "id": .string(question.id), "answer": question.answer.map { .string(Benchmark.letters[$0]) } ?? .null,
      "choice": .string(Benchmark.letters[choice(.none)]), "shots": .int(shots),
      "log_likelihoods": .array(scores.map { .double($0.logLikelihood) }),
      "tokens": .array(scores.map { .int($0.tokens) }), "greedy": .array(scores.map { .bool($0.isGreedy) }),
    ]
    if let hash { object["hash"] = .string(hash) }
    if isCut { object["cut"] = .bool(true) }
    return .object(object)
  }

  /// An answer from a result file; nil when it is damaged.
  init?(_ question: ChoiceQuestion, _ item: JSONValue) {
    guard let values = item["log_likelihoods"]?.array?.map(\.double) as? [Double],
      let tokens = item["tokens"]?.array?.map(\.int) as? [Int],
      let greedy = item["greedy"]?.array?.map(\.bool) as? [Bool], let shots = item["shots"]?.int,
      values.count == question.options.count, tokens.count == values.count, greedy.count == values.count
    else { return nil }
    let scores = zip(values, zip(tokens, greedy)).map {
      OptionScore(logLikelihood: $0, tokens: $1.0, isGreedy: $1.1)
    }
    self.init(question: question, scores: scores, shots: shots, isCut: item["cut"]?.bool ?? false)
  }
}

// MARK: - The whole

extension MultipleChoiceReport {
  /// The report for programs: totals, categories, subjects and every question.
  public var json: JSONValue {
    let benchmark = questions.benchmark
    let subjects = bySubject.map { subject, tally in
      json(
        tally,
        [
          "subject": .string(subject.key), "name": .string(subject.name),
          "category": .string(subject.category.rawValue),
        ])
    }
    let categories = byCategory.map { json($0.tally, ["category": .string($0.name)], mean: $0.mean) }
    return .object([
      "task": .string(benchmark.name), "split": .string(questions.split), "shots": .int(questions.shots),
      "method": .string(method.rawValue), "total": json(total, [:], mean: subjectMean()),
      "categories": .array(categories), "subjects": .array(subjects),
      "questions": .array(answers.map { $0.json() }),
    ])
  }

  /// Accuracies by their norms' names; null where no answer is known.
  private func json(_ tally: Tally, _ members: [String: JSONValue], mean: [Double]? = nil) -> JSONValue {
    var object = members
    object["questions"] = .int(tally.count)
    object["scored"] = .int(tally.scored)
    for (index, norm) in norms.enumerated() {
      object["correct" + norm.rawValue.dropFirst("accuracy".count)] = .int(tally.correct[index])
      object[norm.rawValue] = number(tally.accuracy(index))
      if let mean { object["subject_mean_" + norm.rawValue] = number(mean[index]) }
    }
    return .object(object)
  }

  private func number(_ value: Double) -> JSONValue { value.isNaN ? .null : .double(value) }

  /// The report for people: a line for each subject, each category and the total, and what should be known of the
  /// prompts.
  public var table: String {
    let width = questions.subjects.map { Columns.count($0.key) }.max().map { max($0, 18) } ?? 18
    let heads = norms.map { $0 == .none ? "accuracy" : $0 == .characters ? "per char" : "per byte" }
    func line(_ name: String, _ count: String, _ values: [String]) -> String {
      Columns.left(name, width + 2) + Columns.right(count, 9)
        + values.map { Columns.right($0, 10) }.joined()
    }
    func line(_ name: String, _ tally: Tally) -> String {
      line(name, "\(tally.count)", norms.indices.map { percent(tally.accuracy($0)) })
    }
    let examples = questions.shots == 1 ? "1 example" : "\(questions.shots) examples"
    let title = "\(questions.benchmark.title), \(questions.split), by \(method.rawValue), \(examples)"
    var lines = [title, "", line("subject", "questions", heads)]
    lines += bySubject.map { line($0.subject.key, $0.tally) }
    lines += [""] + byCategory.map { line($0.name, $0.tally) }
    lines += ["", line("mean of subjects", "", subjectMean().map(percent)), line("total", total)]
    return (lines + notes).joined(separator: "\n")
  }

  private var notes: [String] {
    let fewer = answers.count { $0.shots < questions.shots }
    let cut = answers.count(where: \.isCut)
    var notes: [String] = []
    if total.scored < total.count {
      notes.append("\(total.count - total.scored) questions have no published answer and are not scored")
    }
    if fewer > 0 { notes.append("\(fewer) prompts have fewer examples: more do not fit or do not exist") }
    if cut > 0 { notes.append("\(cut) prompts were too long and were cut on the left") }
    return notes.isEmpty ? [] : [""] + notes
  }

  private func percent(_ share: Double) -> String {
    guard share.isFinite else { return "–" }
    let hundredths = Int((share * 10_000).rounded())
    let decimals = hundredths % 100
    return "\(hundredths / 100).\(decimals < 10 ? "0" : "")\(decimals) %"
  }
}
