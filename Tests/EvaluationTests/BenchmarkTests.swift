import FireflyBase
import FireflyEvaluation
import FireflyTestSupport
import Foundation
import Testing

/// Small tables in the layouts of the three benchmarks.
enum Tables {
  /// A folder `data/` as MMLU is published: no header, `SUBJECT_SPLIT.csv`.
  static let mmlu = [
    "data/dev/anatomy_dev.csv": "dev one?,w,x,y,z,B\n\"dev two, with a comma?\",1,2,3,4,D\n",
    "data/test/anatomy_test.csv":
      " How many bones?,10,206,\"1,000\",none,B\nWhich is \"it\"?,a,b,c,d,A\n\"Two\nlines\",e,f,g,h,C\n",
    "data/dev/astronomy_dev.csv": "dev star?,w,x,y,z,A\n",
    "data/test/astronomy_test.csv": "Which star?,sun,moon,mars,io,A\nWhich planet?,sun,moon,mars,io,C\n",
  ]
  static let ceval = [
    "dev/law_dev.csv": "id,question,A,B,C,D,answer,explanation\n0,例题____,甲,乙,丙,丁,B,因为\n",
    "val/law_val.csv": "id,question,A,B,C,D,answer\n0,问题一____,甲,乙,丙,丁,A\n1,问题二____,子,丑,寅,卯,D\n",
    "test/law_test.csv": "id,question,A,B,C,D\n0,没有答案____,甲,乙,丙,丁\n",
  ]
  static let cmmlu = [
    "dev/arts.csv": ",Question,A,B,C,D,Answer\n0,例题,甲,乙,丙,丁,B\n",
    "test/arts.csv": ",Question,A,B,C,D,Answer\n0,问题一,甲,乙,丙,丁,A\n1,问题二,子,丑,寅,卯,D\n",
  ]

  static func write(_ files: [String: String], to folder: TemporaryFolder) throws -> String {
    for (name, text) in files { try folder.write(text, to: "b/" + name) }
    return folder.path + "/b"
  }
}

@Suite struct BenchmarkTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func questions(
    _ benchmark: Benchmark, _ files: [String: String], subjects: [String] = [], split: String? = nil,
    shots: Int = 0, limit: Int? = nil
  ) throws -> BenchmarkQuestions {
    try BenchmarkQuestions(
      benchmark, at: Tables.write(files, to: folder), subjects: subjects, split: split, shots: shots,
      limit: limit)
  }

  @Test func theBenchmarksHaveTheirSubjects() {
    #expect(Benchmark.mmlu.subjects.count == 57 && Benchmark.ceval.subjects.count == 52)
    #expect(Benchmark.cmmlu.subjects.count == 67)
    #expect(Benchmark.ceval.subjects.count { $0.group == "Hard" } == 8)
    #expect(Benchmark.cmmlu.subjects.count { $0.group == "China specific" } == 15)
    for benchmark in Benchmark.all {
      #expect(Set(benchmark.subjects.map(\.key)).count == benchmark.subjects.count)
    }
  }

  @Test func aFolderAndAnArchiveGiveTheSame() throws {
    let expected = try questions(.mmlu, Tables.mmlu)
    #expect(expected.subjects.map(\.key) == ["astronomy", "anatomy"])
    let anatomy = try #require(expected.questions["anatomy"])
    #expect(anatomy.map(\.id) == ["anatomy/0", "anatomy/1", "anatomy/2"])
    #expect(anatomy[0].question == "How many bones?" && anatomy[0].options == ["10", "206", "1,000", "none"])
    #expect(anatomy[1].question == "Which is \"it\"?" && anatomy[2].question == "Two\nlines")
    #expect(anatomy.map(\.answer) == [1, 0, 2])
    for path in ["c/mmlu.zip", "mmlu.zip"] {
      let archive = try folder.write(ZipBuilder.archive(Tables.mmlu, method: 8), to: path)
      let opened = path.hasPrefix("c/") ? folder.path + "/c" : archive
      #expect(try BenchmarkQuestions(.mmlu, at: opened).questions == expected.questions)
    }
  }

  /// Whoever names a folder that holds much else does not wait until all of it is looked through.
  @Test(arguments: [".trash/", "projects/copies/"])
  func hiddenAndFarTablesAreNotTaken(_ place: String) throws {
    let files = Dictionary(uniqueKeysWithValues: Tables.mmlu.map { (place + $0, $1) })
    let error = #expect(throws: FireflyError.self) { try questions(.mmlu, files) }
    #expect(error?.what == "there is no table of MMLU for the split \"test\"")
    #expect(try questions(.mmlu, Tables.mmlu).count == 5)
  }

  @Test func tablesWithHeaders() throws {
    let ceval = try questions(.ceval, Tables.ceval, shots: 5)
    #expect(ceval.split == "val" && ceval.questions["law"]?.map(\.answer) == [0, 3])
    #expect(ceval.examples["law"]?.map(\.question) == ["例题____"])
    let secret = try questions(.ceval, Tables.ceval, split: "test")
    #expect(secret.questions["law"]?.map(\.answer) == [nil])
    let cmmlu = try questions(.cmmlu, Tables.cmmlu, limit: 1)
    #expect(cmmlu.questions["arts"]?.map(\.id) == ["arts/0"])
  }

  @Test func subjectsAndCategories() throws {
    #expect(try questions(.mmlu, Tables.mmlu, subjects: ["anatomy"]).subjects.map(\.key) == ["anatomy"])
    #expect(try Benchmark.mmlu.subjects(named: ["stem"]).count == 18)
    #expect(try Benchmark.mmlu.subjects(named: ["Social sciences", "anatomy"]).count == 13)
    #expect(try Benchmark.ceval.subjects(named: ["hard"]).count == 8)
    let error = #expect(throws: FireflyError.self) { try Benchmark.mmlu.subjects(named: ["anatmy"]) }
    #expect(error?.fix == "Did you mean \"anatomy\"?")
  }

  @Test(arguments: [
    ("dev/law_dev.csv", "id,question,A,B,D,answer\n", ":1", "the column \"C\" is missing"),
    (
      "val/law_val.csv", "id,question,A,B,C,D,answer\n0,q,a,b,c,d,E\n", ":2",
      "the answer is not one of the letters"
    ),
    (
      "val/law_val.csv", "id,question,A,B,C,D,answer\n0,q,a,b,c,d,\n", ":2",
      "the answer is not one of the letters"
    ),
    (
      "val/law_val.csv", "id,question,A,B,C,D,answer\n0,q,a,b,c,A\n", ":2",
      "the row has a wrong number of fields"
    ),
    (
      "val/law_val.csv", "id,question,A,B,C,D,answer\n7,q,a,b,c,d,A\n7,r,a,b,c,d,A\n", ":3",
      "the id law/7 comes twice"
    ),
    ("val/law_val.csv", "id,question,A,B,C,D,answer\n0, ,a,b,c,d,A\n", ":2", "the question is empty"),
    ("val/law_val.csv", "id,question,A,B,C,D,answer\n", "", "the table is empty"),
    ("val/law_val.csv", "", "", "the table is empty"),
    ("val/law_val.csv", "id,question,A,B,C,D,answer\n0,\"q,a,b,c,d,A\n", ":2", "a quoted field does not end"),
  ])
  func badTablesAreNamed(_ name: String, _ text: String, _ place: String, _ what: String) throws {
    let files = Tables.ceval.merging([name: text]) { $1 }
    let error = #expect(throws: FireflyError.self) { try questions(.ceval, files, shots: 1) }
    #expect(error?.what == what)
    #expect(error?.place == "\(folder.path)/b/\(name)\(place)")
  }

  @Test func whatIsMissingIsNamed() throws {
    let none = #expect(throws: FireflyError.self) { try questions(.cmmlu, Tables.ceval) }
    #expect(none?.what == "there is no table of CMMLU for the split \"test\"")
    let split = #expect(throws: FireflyError.self) { try questions(.mmlu, Tables.mmlu, split: "val") }
    #expect(split?.what == "there is no table of MMLU for the split \"val\"")
    let subject = #expect(throws: FireflyError.self) {
      try questions(.mmlu, Tables.mmlu, subjects: ["virology"])
    }
    #expect(subject?.what == "there is no table of the subject virology for the split \"test\"")
    #expect(throws: FireflyError.self) { try BenchmarkQuestions(.mmlu, at: folder.path + "/none") }
  }
}
