import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// What a file of rows is, and what it is not.
@Suite struct RowFileTests {
  private static func load(_ data: Data, _ name: String, template: String? = "firefly") throws -> Dataset {
    let folder = try TemporaryFolder()
    let path = try folder.write(data, to: name)
    return try Dataset.load(
      path, template: try template.map(ChatTemplate.named), tokenizer: CharacterTokenizer(), maxLength: 99)
  }

  private static func texts(_ data: Data, _ name: String) throws -> [String] {
    try load(data, name).samples.map { CharacterTokenizer().decode($0.tokens, skipSpecial: false) }
  }

  private static func error(_ data: Data, _ name: String = "rows.jsonl") -> FireflyError? {
    thrownError { _ = try load(data, name) }
  }

  private static func error(_ text: String, _ name: String = "rows.jsonl") -> FireflyError? {
    error(Data(text.utf8), name)
  }

  private static let row = #"{"conversation": [{"human": "a", "assistant": "b"}]}"#

  // MARK: - gzip

  /// Python's `gzip.compress` of a row each.
  private static let packed = [
    "H4sIAAAAAAACA6tWSs7PK0stKk4syczPU7JSiK5WyijNTQQxlRKVdIBEcXFmcUliXglIJEmpNraWCwC/HdO1NQAAAA==",
    "H4sIAAAAAAACA6tWSs7PK0stKk4syczPU7JSiK5WyijNTQQxlZ7sWKuko6CUWFycWVySmFcCEktRqo2t5QIADyleZjcAAAA=",
  ].map { Data(base64Encoded: $0) ?? Data() }

  @Test func packedFilesAreRead() throws {
    #expect(try Self.texts(Self.packed[0], "rows.jsonl.gz") == ["<s>a</s>b</s>"])
    // Told by its content, whatever it is called; parts that `cat` has joined follow each other.
    #expect(
      try Self.texts(Self.packed[0] + Self.packed[1], "rows.jsonl") == ["<s>a</s>b</s>", "<s>中</s>d</s>"])
  }

  @Test func damagedPackedFilesAreRefused() {
    var bytes = [UInt8](Self.packed[0])
    for cut in [2, 12, 40, bytes.count - 1] {
      let error = Self.error(Data(bytes[..<cut]), "rows.jsonl.gz")
      #expect(error?.what == "the packed file is damaged or cut off", "\(cut)")
    }
    bytes[bytes.count - 6] ^= 1
    #expect(Self.error(Data(bytes), "rows.jsonl.gz")?.what == "the packed file is damaged or cut off")
  }

  // MARK: - Tables

  @Test(arguments: [
    ("instruction,input,output\na,,b\nc,d,e\n", "rows.csv"),
    ("\u{FEFF}\"instruction\",\"input\",\"output\"\r\n\"a\",\"\",\"b\"\r\n\r\nc,d,e\r\n", "rows.CSV"),
    (",output,instruction,input\n0,b,a,\n1,e,c,d\n", "rows.csv"),
    ("instruction\tinput\toutput\na\t\tb\nc\td\te", "rows.tsv"),
  ])
  func tablesNameTheirKeysInTheHeader(_ text: String, _ name: String) throws {
    #expect(try Self.texts(Data(text.utf8), name) == ["<s>a</s>b</s>", "<s>c\nd</s>e</s>"])
  }

  @Test func fieldsInQuotesMayHoldAnything() throws {
    let table = "instruction,output\n\"a \"\"x\"\",\n1\",\"b, 中\"\n\nc,5\n"
    let dataset = try Self.load(Data(table.utf8), "rows.csv")
    #expect(
      dataset.samples.map { CharacterTokenizer().decode($0.tokens, skipSpecial: false) }
        == ["<s>a \"x\",\n1</s>b, 中</s>", "<s>c</s>5</s>"])
    #expect(dataset.samples.map(\.line) == [2, 5])
  }

  @Test func plainTextsMayBeATable() throws {
    let dataset = try Self.load(Data("text,url\nab,u\ncd,v\n".utf8), "texts.csv", template: nil)
    #expect(CharacterTokenizer().decode(dataset.samples[0].tokens, skipSpecial: true) == "abcd")
  }

  @Test(arguments: [
    ("instruction,output\na,b,c\n", "rows.csv:2: the row has other columns"),
    ("instruction,output\na,b\n\na\n", "rows.csv:4: the row has other columns"),
    ("instruction,output\na,\"b\n", "rows.csv:2: a quoted field does not end"),
    ("instruction;output\na;b\n", "rows.csv:1: the table's fields are separated by another character"),
    ("text,text\na,b\n", "rows.csv:1: two columns have one name"),
    ("instruction,output\n", "rows.csv: the file has no rows"), ("", "rows.csv: the table is empty"),
    ("fact,proof\na,b\n", "rows.csv:2: the row has no shape that is known"),
  ])
  func wrongTablesAreNamedByLine(_ text: String, _ told: String) {
    let error = Self.error(text, "rows.csv")?.description ?? ""
    #expect(error.contains(told), "\(error)")
  }

  // MARK: - One object

  @Test(arguments: [
    ("{\"data\": [\(row)]}", "\"data\" may be the rows: jq -c '.\"data\"[]'"),
    ("{\n  \"version\": 1,\n  \"data\": [\n\(row)\n]\n}\n", "\"data\" may be the rows"),
    ("{\n\"conversation\": [{\"human\": \"a\",\n \"assistant\": \"b\"}]}\n", "write it on one line: jq -c ."),
    (#"{"instruction": {"0": "a"}, "output": {"0": "b"}}"#, "It holds columns"),
    (#"{"text": ["a", "b"]}"#, "It holds columns"), (#"{"data": [["a", "b"]]}"#, "may be the rows"),
  ])
  func oneObjectIsToldWithItsRows(_ text: String, _ fix: String) throws {
    let error = try #require(Self.error(text))
    #expect(error.what == "the file is one JSON object")
    #expect(error.fix?.contains(fix) == true, "\(error)")
  }

  @Test func rowsOnSeveralLinesAreTold() {
    let pretty = "{\n\"text\": \"a\"\n}\n"
    #expect(Self.error(pretty + pretty)?.what == "a row takes several lines")
  }

  /// UltraChat's rows have the same word for something else.
  @Test func textsInDataAreARow() throws {
    #expect(try Self.texts(Data(#"{"data": ["a", "b"]}"#.utf8), "rows.jsonl") == ["<s>a</s>b</s>"])
  }

  /// A file of one line is a row like another.
  @Test func oneRowIsEnough() throws {
    #expect(try Self.texts(Data(Self.row.utf8), "rows.jsonl") == ["<s>a</s>b</s>"])
  }

  // MARK: - Lines and columns

  @Test(arguments: [
    ("\(row)\n  {\"text\": 1,}\n", "rows.jsonl:2", "not valid JSON: unexpected \"}\" in column 14"),
    ("[\(row),\n\n {\"text\":\n  nul}]", "rows.jsonl:4", "not valid JSON: unexpected \"n\" in column 3"),
    ("{\n \"text\": 1,\n}\n", "rows.jsonl:3", "not valid JSON: unexpected \"}\" in column 1"),
    (
      "\(row)\n{\"text\": \"a\u{0}\"}\n", "rows.jsonl:2",
      "not valid JSON: a control character in a string in column 12"
    ),
    ("\(row)\n\u{0}\u{0}\n", "rows.jsonl:2", "not valid JSON: an unexpected byte 0 in column 1"),
    ("\(row)\r\n[1]\r\n", "rows.jsonl:2", "the row is not an object"),
  ])
  func anErrorHasOnePlace(_ text: String, _ place: String, _ what: String) throws {
    let error = try #require(Self.error(text))
    #expect(error.place?.hasSuffix(place) == true && error.what == what, "\(error)")
  }

  /// Files that begin with a byte order mark each, one behind the other.
  @Test func marksBetweenJoinedFilesAreNoText() throws {
    let file = "\u{FEFF}\(Self.row)\n\u{FEFF}\(Self.row)\n"
    #expect(try Self.texts(Data(file.utf8), "rows.jsonl").count == 2)
  }

  // MARK: - Other formats

  @Test(arguments: [
    ("PAR1\u{15}", "a Parquet file", "read_parquet"), ("ARROW1\u{0}", "an Arrow file", "read_feather"),
    ("PK\u{3}\u{4}x", "a zip archive, or a spreadsheet (.xlsx)", "unzip"),
    ("BZh9", "packed by bzip2", "bunzip2"),
    ("SQLite format 3\u{0}", "a data base of SQLite", "sqlite3"),
    ("<!DOCTYPE html>", "a web page", "download"),
    (
      "version https://git-lfs.github.com/spec/v1\n", "a pointer to a file that Git LFS keeps", "git lfs pull"
    ),
  ])
  func otherFormatsAreNamed(_ text: String, _ name: String, _ fix: String) {
    let error = Self.error(text)
    #expect(error?.what == "the file is \(name)")
    #expect(error?.fix?.contains(fix) == true)
  }

  @Test(
    arguments: [
      ([0xFF, 0xFF, 0xFF, 0xFF, 0x10], "an Arrow stream, as the datasets library keeps rows"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "packed by xz"), ([0x28, 0xB5, 0x2F, 0xFD], "packed by zstd"),
      ([0x80, 0x04, 0x95], "a pickle of Python"),
      ([0xD0, 0xCF, 0x11, 0xE0], "a spreadsheet of an old Excel"),
    ] as [([UInt8], String)])
  func otherBytesAreNamed(_ bytes: [UInt8], _ name: String) {
    #expect(Self.error(Data(bytes))?.what == "the file is \(name)")
  }

  @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32])
  func textsOfOtherWidthsAreNamed(_ encoding: String.Encoding) throws {
    let data = try #require(Self.row.data(using: encoding))
    let error = Self.error(data)
    #expect(error?.what.hasPrefix("the file is text in UTF-") == true)
    #expect(error?.fix?.contains("iconv -f UTF-") == true)
  }

  @Test func aNamedPipeIsNotWaitedFor() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/rows.jsonl"
    #expect(mkfifo(path, 0o600) == 0)
    let error = thrownError {
      _ = try Dataset.load(
        path, template: try ChatTemplate.named("firefly"), tokenizer: CharacterTokenizer(), maxLength: 99)
    }
    #expect(error?.what == "not a plain file")
  }

  /// What a killed program was writing is removed by the next that writes there; what a living one writes stays.
  @Test func partsOfKilledProgramsAreRemoved() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.row + "\n", to: "rows.jsonl")
    let dead = "cache/0123456789abcdef-00.rows.partial-\(Int32.max - 7)"
    let living = "cache/0123456789abcdef-01.rows.partial-\(getpid())"
    try folder.write("x", to: dead)
    try folder.write("x", to: living)
    let cache = DataCache(folder: folder.path + "/cache", smallestBytes: 0)
    _ = try Dataset.load(
      path, template: try ChatTemplate.named("firefly"), tokenizer: CharacterTokenizer(), maxLength: 99,
      cache: cache)
    let names = try folder.names("cache")
    #expect(names.contains { living.hasSuffix($0) } && !names.contains { dead.hasSuffix($0) })
  }
}
