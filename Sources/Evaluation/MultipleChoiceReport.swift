import FireflyBase

/// How likelihoods of options of different length are made comparable.
public enum ChoiceNorm: String, Sendable, CaseIterable {
  /// Log-probabilities as they are.
  case none = "accuracy"
  /// Per character (Unicode scalar) of the option's text: `acc_norm` of EleutherAI's evaluation harness.
  case characters = "accuracy_norm"
  /// Per byte of its UTF-8: `acc_bytes`.
  case bytes = "accuracy_bytes"
}

/// A question with what the model said of its options.
public struct ChoiceAnswer: Sendable, Equatable {
  public var question: ChoiceQuestion
  /// The scores of A to D.
  public var scores: [OptionScore]
  /// Examples in its prompt.
  public var shots: Int
  /// The prompt lost text on the left.
  public var isCut: Bool

  public init(question: ChoiceQuestion, scores: [OptionScore], shots: Int, isCut: Bool) {
    self.question = question
    self.scores = scores
    self.shots = shots
    self.isCut = isCut
  }

  /// The index of the likeliest option, of equals the first.
  public func choice(_ norm: ChoiceNorm) -> Int {
    let values = zip(scores, question.options).map { score, text in
      switch norm {
      case .none: score.logLikelihood
      case .characters: score.logLikelihood / Double(max(1, text.unicodeScalars.count))
      case .bytes: score.logLikelihood / Double(max(1, text.utf8.count))
      }
    }
    return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }

  /// nil where the right answer is not known.
  public func isCorrect(_ norm: ChoiceNorm) -> Bool? { question.answer.map { $0 == choice(norm) } }

  func checkFinite() throws {
    for (score, letter) in zip(scores, Benchmark.letters) where !score.logLikelihood.isFinite {
      throw FireflyError(
        "the likelihood of option \(letter) is not a finite number", at: question.id,
        found: "\(score.logLikelihood)",
        fix: "The weights are damaged or overflow: try float32, and 'firefly inspect' on the model.")
    }
  }
}

/// Accuracies of a benchmark.
public struct MultipleChoiceReport: Sendable {
  public let questions: BenchmarkQuestions
  public let method: ChoiceMethod
  /// The answers, in the order of the subjects and their questions.
  public let answers: [ChoiceAnswer]

  /// Letters are all of one length.
  public var norms: [ChoiceNorm] { method == .letter ? [.none] : ChoiceNorm.allCases }

  /// Counts of some questions.
  public struct Tally: Sendable, Equatable {
    public var count = 0
    /// Questions whose answer is known.
    public var scored = 0
    /// Right ones, for each of the report's norms.
    public var correct: [Int]

    /// 0…1; NaN when no answer is known.
    public func accuracy(_ norm: Int = 0) -> Double {
      scored > 0 ? Double(correct[norm]) / Double(scored) : .nan
    }
  }

  public func tally(_ answers: [ChoiceAnswer]) -> Tally {
    var tally = Tally(correct: norms.map { _ in 0 })
    for answer in answers {
      tally.count += 1
      guard answer.question.answer != nil else { continue }
      tally.scored += 1
      for (index, norm) in norms.enumerated() where answer.isCorrect(norm) == true {
        tally.correct[index] += 1
      }
    }
    return tally
  }

  /// The tally of all questions.
  public var total: Tally { tally(answers) }

  /// The tally of each subject, in the benchmark's order.
  public var bySubject: [(subject: Benchmark.Subject, tally: Tally)] {
    let groups = Dictionary(grouping: answers, by: \.question.subject)
    return questions.subjects.map { ($0, tally(groups[$0.key] ?? [])) }
  }

  /// The tallies of the categories that have questions, and of the benchmark's further group.
  public var byCategory: [(name: String, tally: Tally, mean: [Double])] {
    let subjects = questions.subjects
    let groups = subjects.compactMap(\.group).first
    let categories = Benchmark.Category.allCases.map(\.rawValue) + (groups.map { [$0] } ?? [])
    return categories.compactMap { name in
      let keys = Set(subjects.filter { $0.category.rawValue == name || $0.group == name }.map(\.key))
      guard !keys.isEmpty else { return nil }
      return (
        name, tally(answers.filter { keys.contains($0.question.subject) }),
        subjectMean { keys.contains($0.key) }
      )
    }
  }

  /// The mean of the subjects' accuracies, each counting the same, for each norm; NaN without scored ones.
  public func subjectMean(_ isIncluded: (Benchmark.Subject) -> Bool = { _ in true }) -> [Double] {
    let tallies = bySubject.filter { isIncluded($0.subject) && $0.tally.scored > 0 }.map(\.tally)
    return norms.indices.map { norm in
      tallies.isEmpty ? .nan : tallies.reduce(0) { $0 + $1.accuracy(norm) } / Double(tallies.count)
    }
  }
}
