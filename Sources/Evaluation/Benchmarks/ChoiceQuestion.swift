import FireflyBase

/// A question with four options.
public struct ChoiceQuestion: Sendable, Equatable {
  /// Unique in the benchmark: `anatomy/12`, the subject and the row's own id, or its number from 0.
  public var id: String
  public var subject: String
  /// The question's text without white space around it.
  public var question: String
  /// The texts of A to D.
  public var options: [String]
  /// The index of the right option; nil where the split does not tell.
  public var answer: Int?

  public init(id: String, subject: String, question: String, options: [String], answer: Int?) {
    self.id = id
    self.subject = subject
    self.question = question
    self.options = options
    self.answer = answer
  }
}

/// A benchmark's questions, found in a folder or zip archive.
///
/// A subject's file is `SUBJECT_SPLIT.csv` (MMLU, C-Eval) or `SPLIT/SUBJECT.csv` (CMMLU), at any depth.
struct BenchmarkFiles {
  let benchmark: Benchmark
  let tree: FileTree

  init(_ benchmark: Benchmark, _ path: String) throws {
    self.benchmark = benchmark
    tree = try FileTree(path)
  }

  /// The subjects of `wanted` that have a file for `split`.
  ///
  /// - Throws: `FireflyError` when none has.
  func available(_ wanted: [Benchmark.Subject], split: String) throws -> [Benchmark.Subject] {
    let found = wanted.filter { file($0.key, split) != nil }
    guard !found.isEmpty else {
      throw FireflyError(
        "there is no table of \(benchmark.title) for the split \"\(split)\"", at: tree.path,
        expected: "files like \(split)/\(wanted[0].key).csv or \(wanted[0].key)_\(split).csv",
        found: "\(tree.names.count) files" + (tree.names.first.map { ", such as \($0)" } ?? ""))
    }
    return found
  }

  /// The questions of one subject's table.
  ///
  /// - Throws: `FireflyError` with file and line for a missing file or column, a row of another width, an answer that
  ///   is not one of the letters, and an id that comes twice.
  func questions(_ subject: String, split: String) throws -> [ChoiceQuestion] {
    guard let name = file(subject, split) else {
      throw FireflyError(
        "there is no table of the subject \(subject) for the split \"\(split)\"", at: tree.path,
        expected: "a file like \(split)/\(subject).csv or \(subject)_\(split).csv")
    }
    let place = tree.place(name)
    let table = try CSVTable(tree.read(name), source: place)
    let layout = try TableLayout(benchmark.columns, table, place)
    var ids: [String: Int] = [:]
    return try table.rows.dropFirst(layout.headerRows).enumerated().map { number, row in
      let question = try layout.question(row, number: number, subject: subject, at: "\(place):\(row.line)")
      if let earlier = ids.updateValue(row.line, forKey: question.id) {
        throw FireflyError(
          "the id \(question.id) comes twice", at: "\(place):\(row.line)", found: "also on line \(earlier)")
      }
      return question
    }
  }

  private func file(_ subject: String, _ split: String) -> String? {
    tree.names.first { name in
      let parts = name.split(separator: "/")
      return parts.last == "\(subject)_\(split).csv"
        || parts.suffix(2) == [Substring(split), "\(subject).csv"]
    }
  }
}

/// Where a table's columns are.
private struct TableLayout {
  /// nil: rows are known by their number.
  var id: Int?
  var question = 0
  var options = [1, 2, 3, 4]
  /// nil: the table has no answers.
  var answer: Int? = 5
  var headerRows = 0
  /// Fields of every row.
  var width = 6

  init(_ columns: Benchmark.Columns?, _ table: CSVTable, _ place: String) throws {
    guard let header = table.rows.first else {
      throw FireflyError("the table is empty", at: place, expected: "rows of questions")
    }
    guard let columns else { return }
    func index(_ name: String) throws -> Int {
      if let index = header.fields.firstIndex(of: name) { return index }
      throw FireflyError(
        "the column \"\(name)\" is missing", at: "\(place):1",
        found: header.fields.map { "\"\($0)\"" }.joined(separator: ", "))
    }
    id = try index(columns.id)
    question = try index(columns.question)
    options = try Benchmark.letters.map(index)
    answer = header.fields.firstIndex(of: columns.answer)
    headerRows = 1
    width = header.fields.count
    guard table.rows.count > 1 else {
      throw FireflyError("the table is empty", at: place, expected: "rows of questions below the header")
    }
  }

  func question(_ row: CSVTable.Row, number: Int, subject: String, at place: String) throws -> ChoiceQuestion
  {
    guard row.fields.count == width else {
      throw FireflyError(
        "the row has a wrong number of fields", at: place, expected: "\(width)", found: "\(row.fields.count)")
    }
    let text = row.fields[question].trimmingWhitespace
    guard !text.isEmpty else { throw FireflyError("the question is empty", at: place) }
    return ChoiceQuestion(
      id: "\(subject)/\(id.map { row.fields[$0] } ?? "\(number)")", subject: subject, question: text,
      options: options.map { row.fields[$0] }, answer: try answer.map { try index(row.fields[$0], place) })
  }

  private func index(_ letter: String, _ place: String) throws -> Int {
    if let index = Benchmark.letters.firstIndex(of: letter.trimmingWhitespace) { return index }
    throw FireflyError(
      "the answer is not one of the letters", at: place,
      expected: Benchmark.letters.joined(separator: ", "), found: "\"\(letter)\"")
  }
}

extension String {
  /// The text without white space around it, as Python's `strip`.
  var trimmingWhitespace: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
