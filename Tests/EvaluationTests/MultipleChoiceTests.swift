import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

@Suite struct MultipleChoiceTests {
  private let folder: TemporaryFolder
  private let tokenizer = ByteTokenizer()

  init() throws { folder = try TemporaryFolder() }

  private func choice(
    _ benchmark: Benchmark = .mmlu, _ files: [String: String] = Tables.mmlu, shots: Int = 0,
    method: ChoiceMethod = .letter, template: ChatTemplate? = nil, split: String? = nil,
    maxLength: Int? = nil,
    batchSize: Int = 2
  ) throws -> MultipleChoice {
    MultipleChoice(
      try BenchmarkQuestions(
        benchmark, at: Tables.write(files, to: folder), split: split, shots: shots), method: method,
      template: template, maxLength: maxLength, batchSize: batchSize)
  }

  private func answer(_ report: MultipleChoiceReport, _ id: String) throws -> ChoiceAnswer {
    try #require(report.answers.first { $0.question.id == id })
  }

  /// Every option of `id` against a naive likelihood of `texts` behind `prompt`.
  private func check(
    _ choice: MultipleChoice, _ id: String, _ prompt: String, _ texts: [String]
  ) throws {
    let model = try TinyModel.make()
    let answer = try answer(choice.run(model, tokenizer: tokenizer), id)
    let context = [256] + prompt.utf8.map(Int32.init)
    #expect(answer.scores.count == texts.count)
    for (score, text) in zip(answer.scores, texts) {
      let expected = model.naiveLogLikelihood(context, text.utf8.map(Int32.init))
      #expect(abs(score.logLikelihood - expected.sum) <= 2e-5 * abs(expected.sum), "\(text)")
      #expect(score.isGreedy == expected.isGreedy && score.tokens == text.utf8.count)
    }
  }

  // MARK: - The words of the prompts

  @Test func mmluByLetter() throws {
    let dev = """
      The following are multiple choice questions (with answers) about anatomy.

      dev one?
      A. w
      B. x
      C. y
      D. z
      Answer: B

      dev two, with a comma?
      A. 1
      B. 2
      C. 3
      D. 4
      Answer: D


      """
    let asked = "Two\nlines\nA. e\nB. f\nC. g\nD. h\nAnswer:"
    try check(choice(shots: .max), "anatomy/2", dev + asked, [" A", " B", " C", " D"])
    try check(choice(shots: 5), "anatomy/2", dev + asked, [" A", " B", " C", " D"])
    try check(
      choice(), "anatomy/2",
      "The following are multiple choice questions (with answers) about anatomy.\n\n" + asked,
      [" A", " B", " C", " D"])
  }

  @Test func mmluByLikelihood() throws {
    let dev =
      "The following are questions (with answers) about astronomy.\n\nQuestion: dev star?\nAnswer: w\n\n"
    try check(
      choice(shots: 1, method: .likelihood), "astronomy/1", dev + "Question: Which planet?\nAnswer:",
      [" sun", " moon", " mars", " io"])
  }

  @Test func cevalAndCMMLU() throws {
    try check(
      choice(.ceval, Tables.ceval, shots: 1), "law/1",
      "以下是中国关于法学考试的单项选择题，请选出其中的正确答案。\n\n例题____\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：B\n\n"
        + "问题二____\nA. 子\nB. 丑\nC. 寅\nD. 卯\n答案：", ["A", "B", "C", "D"])
    let other = try MultipleChoiceTests()
    try other.check(
      other.choice(.cmmlu, Tables.cmmlu, shots: 1), "arts/0",
      "以下是关于艺术学的单项选择题，请直接给出正确答案的选项。\n\n题目：例题\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案是：B\n\n"
        + "题目：问题一\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案是：", ["A", "B", "C", "D"])
  }

  /// Examples are earlier turns, pieces are tokenised apart, and the answer has nothing before it.
  @Test func throughATemplate() throws {
    let template = try ChatTemplate.named("firefly")
    let model = try TinyModel.make()
    let report = try choice(shots: 1, template: template).run(model, tokenizer: tokenizer)
    let opening = "The following are multiple choice questions (with answers) about astronomy.\n\n"
    let context = try template.promptTokens(
      history: [
        Message(role: "user", content: opening + "dev star?\nA. w\nB. x\nC. y\nD. z\nAnswer:"),
        Message(role: "assistant", content: "A"),
        Message(role: "user", content: "Which star?\nA. sun\nB. moon\nC. mars\nD. io\nAnswer:"),
      ], tokenizer: tokenizer)
    for (score, letter) in zip(try answer(report, "astronomy/0").scores, "ABCD".utf8) {
      let expected = model.naiveLogLikelihood(context, [Int32(letter)])
      #expect(abs(score.logLikelihood - expected.sum) <= 2e-5 * abs(expected.sum))
    }
  }

  // MARK: - Length

  @Test func examplesGiveWayWherePromptsAreTooLong() throws {
    let whole = try choice(shots: 2)
    let model = try TinyModel.make()
    let long = try answer(whole.run(model, tokenizer: tokenizer), "anatomy/2")
    #expect(long.shots == 2 && !long.isCut)
    let shorter = try choice(shots: 2, maxLength: 200).run(model, tokenizer: tokenizer)
    #expect(try answer(shorter, "anatomy/2").shots == 1)
    #expect(shorter.table.contains("prompts have fewer examples"))
    let cut = try answer(choice(shots: 2, maxLength: 30).run(model, tokenizer: tokenizer), "anatomy/2")
    #expect(cut.shots == 0 && cut.isCut)
    // What is left is the end of the prompt without examples, 29 bytes of it and one of the option read.
    let prompt = "about anatomy.\n\nTwo\nlines\nA. e\nB. f\nC. g\nD. h\nAnswer:".utf8.map { Int32($0) }
    let expected = model.naiveLogLikelihood(Array(prompt.suffix(29)), " C".utf8.map(Int32.init))
    #expect(abs(cut.scores[2].logLikelihood - expected.sum) <= 2e-5 * abs(expected.sum))
  }

  @Test func anOptionThatCannotFitIsNamed() throws {
    let error = #expect(throws: FireflyError.self) {
      try choice(method: .likelihood, maxLength: 4).run(TinyModel.make(), tokenizer: tokenizer)
    }
    #expect(error?.what == "an option is longer than the model's context")
    #expect(error?.place == "astronomy/0")
  }

  // MARK: - Scores

  @Test func grouping() throws {
    let model = try TinyModel.make()
    let reports = try [1, 2, 8].map { try choice(shots: 2, batchSize: $0).run(model, tokenizer: tokenizer) }
    for report in reports.dropFirst() {
      for (one, other) in zip(report.answers, reports[0].answers) {
        #expect(one.question == other.question)
        for (a, b) in zip(one.scores, other.scores) {
          #expect(abs(a.logLikelihood - b.logLikelihood) <= 2e-5 * abs(b.logLikelihood))
        }
      }
    }
  }

  @Test func likelihoodsAreMadeComparable() {
    let question = ChoiceQuestion(
      id: "x/0", subject: "x", question: "?", options: ["a", "abcd", "二二", "ab"], answer: 2)
    let values = [-2.0, -4.0, -3.0, -2.0]
    let answer = ChoiceAnswer(
      question: question, scores: values.map { OptionScore(logLikelihood: $0, tokens: 1, isGreedy: false) },
      shots: 0, isCut: false)
    #expect(answer.choice(.none) == 0)  // of equals the first
    #expect(answer.choice(.characters) == 1)  // −2, −1, −1.5, −1
    #expect(answer.choice(.bytes) == 2)  // −2, −1, −0.5, −1
    #expect(answer.isCorrect(.bytes) == true && answer.isCorrect(.none) == false)
  }

  @Test func accuraciesBySubjectAndCategory() throws {
    let report = try choice(method: .likelihood).run(TinyModel.make(), tokenizer: tokenizer)
    for (index, norm) in report.norms.enumerated() {
      let correct = report.answers.filter { $0.choice(norm) == $0.question.answer }
      #expect(report.total.correct[index] == correct.count)
      let bySubject = report.bySubject.map { $0.tally.correct[index] }
      #expect(bySubject.reduce(0, +) == correct.count)
      let mean = (report.bySubject[0].tally.accuracy(index) + report.bySubject[1].tally.accuracy(index)) / 2
      #expect(abs(report.subjectMean()[index] - mean) <= 1e-12)
    }
    #expect(report.bySubject.map(\.tally.count) == [2, 3])
    #expect(report.byCategory.map(\.name) == ["STEM", "Other"])
    let json = report.json
    #expect(json["total"]?["questions"]?.int == 5 && json["subjects"]?.array?.count == 2)
    #expect(json["questions"]?.array?.count == 5 && json["total"]?["accuracy_bytes"]?.double != nil)
    #expect(json["total"]?["accuracy"]?.double == report.total.accuracy(0))
    for word in ["anatomy", "astronomy", "STEM", "Other", "total", "per byte"] {
      #expect(report.table.contains(word))
    }
  }

  @Test func aSplitWithoutAnswersIsAskedAndNotScored() throws {
    let report = try choice(.ceval, Tables.ceval, split: "test").run(TinyModel.make(), tokenizer: tokenizer)
    #expect(report.answers.count == 1 && report.total.scored == 0 && report.total.accuracy().isNaN)
    #expect(report.json["total"]?["accuracy"] == nil)
    #expect(report.json["questions"]?.array?[0]["choice"]?.string != nil)
    #expect(report.table.contains("1 questions have no published answer"))
  }

  // MARK: - Going on

  @Test(arguments: ChoiceMethod.allCases) func aRunGoesOnBitForBit(_ method: ChoiceMethod) throws {
    let choice = try choice(shots: 2, method: method)
    let model = try TinyModel.make()
    let path = folder.path + "/results.jsonl"
    func run() throws -> MultipleChoiceReport {
      try choice.run(model, tokenizer: tokenizer, output: ResultFile(path, settings: choice.settings))
    }
    let whole = try run()
    let complete = try folder.text("results.jsonl")
    let lines = complete.split(separator: "\n")
    #expect(lines.count == 6)
    for kept in 1..<6 {
      try folder.write(lines.prefix(kept).joined(separator: "\n") + "\n", to: "results.jsonl")
      #expect(try run().answers == whole.answers)
      #expect(try folder.text("results.jsonl") == complete)
    }
  }

  @Test func otherTablesAndSettingsAreRefused() throws {
    let path = folder.path + "/results.jsonl"
    func run(_ files: [String: String], shots: Int = 0) throws {
      let choice = try choice(files: files, shots: shots)
      _ = try choice.run(
        TinyModel.make(), tokenizer: tokenizer, output: ResultFile(path, settings: choice.settings))
    }
    try run(Tables.mmlu)
    let name = "data/test/anatomy_test.csv"
    let changed = Tables.mmlu.merging([name: Tables.mmlu[name, default: ""].replacing("none", with: "all")]) {
      $1
    }
    let table = #expect(throws: FireflyError.self) { try run(changed) }
    #expect(table?.what == "the question anatomy/0 had another prompt when its result was saved")
    let shots = #expect(throws: FireflyError.self) { try run(Tables.mmlu, shots: 1) }
    #expect(shots?.what == "the file's results were made with another \"shots\"")
    let damaged = try folder.text("results.jsonl").replacing("\"greedy\"", with: "\"grey\"")
    try folder.write(damaged, to: "results.jsonl")
    let line = #expect(throws: FireflyError.self) { try run(Tables.mmlu) }
    #expect(line?.what == "the result of astronomy/0 is damaged")
  }

  private func choice(files: [String: String], shots: Int) throws -> MultipleChoice {
    try choice(.mmlu, files, shots: shots)
  }

  @Test func progressCountsQuestions() throws {
    var told: [Int] = []
    _ = try choice(batchSize: 1).run(TinyModel.make(), tokenizer: tokenizer) { done, count in
      #expect(count == 5)
      told.append(done)
    }
    #expect(told.last == 5 && told == told.sorted())
  }
}
