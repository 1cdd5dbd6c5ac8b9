import FireflyBase
import FireflyEvaluation
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

@Suite struct CSVTests {
  private func fields(_ text: String) throws -> [[String]] {
    try CSVTable(Array(text.utf8), source: "t.csv").rows.map(\.fields)
  }

  @Test(arguments: [
    ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
    ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
    ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
    ("\u{FEFF}a,\"b\"\n", [["a", "b"]]),
    ("\"x, y\",\"he said \"\"no\"\"\"\n", [["x, y", "he said \"no\""]]),
    ("\"two\r\nlines\",1\n", [["two\r\nlines", "1"]]),
    ("a \"quoted\" word\",b\n", [["a \"quoted\" word\"", "b"]]),
    ("\"a\"b,c\n", [["ab", "c"]]),
    (",,\n\n,\n", [["", "", ""], ["", ""]]),
    ("\"\",x\n", [["", "x"]]),
    ("问题，一,\"二\n三\"", [["问题，一", "二\n三"]]),
    ("", []),
  ])
  func readsWhatSpreadsheetsWrite(_ text: String, _ expected: [[String]]) throws {
    #expect(try fields(text) == expected)
  }

  @Test func rowsKnowTheirLines() throws {
    let table = try CSVTable(Array("a\n\"b\nc\r\nd\"\n\ne\n".utf8), source: "t.csv")
    #expect(table.rows.map(\.line) == [1, 2, 6])
  }

  @Test func whatDoesNotEndIsNamed() {
    let error = #expect(throws: FireflyError.self) { try fields("a\nb,\"c\nd\n") }
    #expect(error?.place == "t.csv:2")
    #expect(throws: FireflyError.self) { try CSVTable([0x61, 0xFF, 0x0A], source: "t.csv") }
  }
}

@Suite struct ZipTests {
  static let texts = [
    "dev/a.csv": "short", "test/a.csv": String(repeating: "a line that comes again\n", count: 400),
    "empty.csv": "",
  ]

  private func archive(_ folder: TemporaryFolder, method: Int = 8) throws -> String {
    try folder.write(ZipBuilder.archive(ZipTests.texts, method: method), to: "x.zip")
  }

  @Test(arguments: [0, 8]) func givesBackWhatWasPacked(_ method: Int) throws {
    let folder = try TemporaryFolder()
    let zip = try open(archive(folder, method: method))
    #expect(Set(zip.entries.keys) == Set(ZipTests.texts.keys))
    for (name, text) in ZipTests.texts {
      #expect(String(decoding: try zip.unpacked(name), as: UTF8.self) == text)
    }
    #expect(throws: FireflyError.self) { try zip.unpacked("c.csv") }
  }

  private func open(_ path: String) throws -> ZipArchive {
    try ZipArchive(MappedFile(path), allowsDeflate: true)
  }

  /// Cut off anywhere, or with any one byte changed, it is refused or gives what was packed; it never reads outside.
  @Test func damageIsFoundOrDoesNotMatter() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: archive(folder)))
    func check(_ data: Data) throws {
      let path = try folder.write(data, to: "broken.zip")
      do {
        let zip = try open(path)
        for name in zip.entries.keys {
          let text = String(decoding: try zip.unpacked(name), as: UTF8.self)
          #expect(ZipTests.texts.values.contains(text))
        }
      } catch let error as FireflyError {
        #expect(error.place?.hasPrefix(path) == true)
      }
    }
    for length in 0..<whole.count { try check(whole.prefix(length)) }
    for index in whole.indices {
      var changed = whole
      changed[index] ^= 0xFF
      try check(changed)
    }
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    let folder = try TemporaryFolder()
    let other = try folder.write(ZipBuilder.archive(["a": "b"], method: 0, declared: 12), to: "a.zip")
    let method = #expect(throws: FireflyError.self) { try open(other) }
    #expect(method?.what == "an entry of the archive is compressed" && method?.found == "method 12")
    let secret = try folder.write(ZipBuilder.archive(["a": "b"], method: 0, flags: 1), to: "b.zip")
    let locked = #expect(throws: FireflyError.self) { try open(secret) }
    #expect(locked?.what == "an entry of the archive is encrypted" && locked?.place == "\(secret): a")
    let text = try folder.write("question,A,B,C,D,answer\n", to: "c.zip")
    let error = #expect(throws: FireflyError.self) { try open(text) }
    #expect(error?.what.contains("archive is damaged") == true)
    #expect(throws: FireflyError.self) { try open(folder.write("", to: "d.zip")) }
  }
}

@Suite struct ResultFileTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/out.jsonl" }
  private let settings: [String: JSONValue] = ["task": .string("t"), "shots": .int(5)]

  init() throws { folder = try TemporaryFolder() }

  private func open(_ settings: [String: JSONValue]? = nil) throws -> ResultFile {
    try ResultFile(path, settings: settings ?? self.settings)
  }

  @Test func keepsWhatWasFinished() throws {
    try open().append([("a", .object(["x": .double(0.1)])), ("b", .object(["x": .double(-2.5e-300)]))])
    let again = try open()
    #expect(again.items["a"]?["x"]?.double == 0.1 && again.items["b"]?["x"]?.double == -2.5e-300)
    try again.append([("c", .object([:]))])
    #expect(try folder.text("out.jsonl").split(separator: "\n").count == 4)
  }

  @Test func aLineThatWasCutOffIsDropped() throws {
    try open().append([("a", .object([:])), ("b", .object([:]))])
    let text = try folder.text("out.jsonl")
    try folder.write(String(text.dropLast(4)), to: "out.jsonl")
    let again = try open()
    #expect(again.items.keys.sorted() == ["a"])
    try again.append([("b", .object([:]))])
    #expect(try folder.text("out.jsonl") == text)
    // So is a first line.
    try folder.write("{\"firefly_eval\": 1, \"set", to: "cut.jsonl")
    #expect(try ResultFile(folder.path + "/cut.jsonl", settings: settings).items.isEmpty)
  }

  @Test func otherSettingsAreNamed() throws {
    _ = try open()
    let error = #expect(throws: FireflyError.self) { try open(["task": .string("t"), "shots": .int(0)]) }
    #expect(error?.what == "the file's results were made with another \"shots\"")
    #expect(error?.expected == "0" && error?.found == "5")
  }

  @Test(arguments: [
    "some text", "some text\n", "{\"id\": \"a\"}\n", "{\"firefly_eval\": 2, \"settings\": {}}\n",
  ])
  func anotherFileIsLeftAsItIs(_ text: String) throws {
    try folder.write(text, to: "out.jsonl")
    let error = #expect(throws: FireflyError.self) { try open() }
    #expect(error?.what == "not a file of an evaluation's results")
    #expect(try folder.text("out.jsonl") == text)
  }

  @Test(arguments: [
    ("{\"id\": \"a\"}\n{\"id\": \"a\"}\n", "the file has a result twice"),
    ("{\"x\": 1}\n", "the line is not a result"), ("{\"id\n", "not valid JSON"),
  ])
  func damagedLinesAreNamed(_ lines: String, _ what: String) throws {
    _ = try open()
    try folder.write(try folder.text("out.jsonl") + lines, to: "out.jsonl")
    let error = #expect(throws: FireflyError.self) { try open() }
    #expect(error?.what.hasPrefix(what) == true)
    #expect(error?.place?.hasPrefix(path + ":") == true)
  }

  @Test func twoWritersAreRefused() throws {
    let first = try open()
    let error = #expect(throws: FireflyError.self) { try open() }
    #expect(error?.what == "another evaluation is writing to this file")
    withExtendedLifetime(first) {}
  }
}
