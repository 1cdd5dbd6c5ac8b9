import FireflyBase

/// A multiple-choice benchmark as data: its subjects, the columns of its tables, and the words of its prompts.
public struct Benchmark: Sendable {
  public enum Category: String, Sendable, CaseIterable {
    case stem = "STEM"
    case humanities = "Humanities"
    case socialSciences = "Social sciences"
    case other = "Other"
  }

  public struct Subject: Sendable, Equatable {
    /// The subject as the files are named: `high_school_physics`.
    public var key: String
    /// The subject as prompts name it.
    public var name: String
    public var category: Category
    /// A further group that the benchmark reports, across the categories; nil for most subjects.
    public var group: String?
  }

  /// The names of a table's header; the options' columns are A to D.
  package struct Columns: Sendable, Equatable {
    package var id: String
    package var question: String
    package var answer: String
  }

  /// The words around a question. `{subject}` stands for the subject's name.
  package struct Wording: Sendable, Equatable {
    /// What stands before the first question.
    package var description: String
    /// What stands before each question's text.
    package var question: String
    /// What stands after the options, where the answer follows.
    package var answer: String
    /// What stands between `answer` and the answer itself.
    package var delimiter: String
    /// `description` and `question` where the options are not shown, because their texts are what is scored.
    package var textDescription: String
    package var textQuestion: String
  }

  /// The benchmark's name on the command line.
  public var name: String
  public var title: String
  /// What is measured when nothing else is said; examples come from `dev`.
  public var defaultSplit: String
  /// nil: the tables have no header; columns are question, A, B, C, D, answer.
  package var columns: Columns?
  package var wording: Wording
  public var subjects: [Subject]

  public static let all: [Benchmark] = [.mmlu, .ceval, .cmmlu]

  /// The letters of the options.
  package static let letters = ["A", "B", "C", "D"]

  static func subjects(
    _ names: [(Category, KeyValuePairs<String, String>)], group: (name: String, keys: Set<String>)
  ) -> [Subject] {
    names.flatMap { category, names in
      names.map { key, name in
        Subject(
          key: key, name: name, category: category, group: group.keys.contains(key) ? group.name : nil)
      }
    }
  }

  /// The subjects that `words` name, in the benchmark's order; all when there are none.
  ///
  /// - Parameter words: keys, or categories in any case, with a space, `_` or `-` between words.
  /// - Throws: `FireflyError` for a word that is neither, with the nearest one.
  public func subjects(named words: [String]) throws -> [Subject] {
    guard !words.isEmpty else { return subjects }
    var chosen: Set<String> = []
    for word in words {
      let key = word.lowercased().replacing(" ", with: "_").replacing("-", with: "_")
      let found = subjects.filter { subject in
        let groups = [subject.category.rawValue, subject.group ?? ""]
        return subject.key == key || groups.contains { $0.lowercased().replacing(" ", with: "_") == key }
      }
      guard !found.isEmpty else {
        let categories = Category.allCases.map { $0.rawValue.lowercased().replacing(" ", with: "_") }
        let nearest = nearestName(to: key, among: subjects.map(\.key) + categories)
        throw FireflyError(
          "\(title) has no such subject or category", at: "subjects", found: "\"\(word)\"",
          fix: nearest.map { "Did you mean \"\($0)\"?" })
      }
      chosen.formUnion(found.map(\.key))
    }
    return subjects.filter { chosen.contains($0.key) }
  }
}
