import FireflyBase

/// A format that rows come in and that is not read: how it is told, and how it becomes one that is.
struct ForeignFormat {
  let name: String
  /// How such files begin.
  let beginnings: [[UInt8]]
  /// `FILE` stands for the file.
  let fix: String

  /// What the bytes are; nil for what may be read.
  static func of(_ bytes: UnsafeRawBufferPointer) -> ForeignFormat? {
    table.first { format in format.beginnings.contains { bytes.starts(with: $0) } }
  }

  func refusal(_ path: String) -> FireflyError {
    FireflyError(
      "the file is \(name)", at: path, expected: "rows as .jsonl, .json, .csv or .tsv, packed by gzip or not",
      fix:
        "Convert it: \(fix.split(separator: "FILE", omittingEmptySubsequences: false).joined(separator: path))"
    )
  }

  private static let table = [
    ForeignFormat(
      "a Parquet file", ["PAR1"], pandas("read_parquet('FILE')")),
    ForeignFormat(
      "an Arrow file", ["ARROW1"], pandas("read_feather('FILE')")),
    ForeignFormat(
      name: "an Arrow stream, as the datasets library keeps rows", beginnings: [[0xFF, 0xFF, 0xFF, 0xFF]],
      fix: "python3 -c \"from datasets import Dataset; Dataset.from_file('FILE').to_json('rows.jsonl', "
        + "force_ascii=False)\""),
    ForeignFormat(
      "a zip archive, or a spreadsheet (.xlsx)", ["PK\u{3}\u{4}", "PK\u{5}\u{6}"],
      "unpack it (unzip), or save the sheet as CSV in UTF-8"),
    ForeignFormat(
      name: "a spreadsheet of an old Excel", beginnings: [[0xD0, 0xCF, 0x11, 0xE0]],
      fix: "save the sheet as CSV in UTF-8"),
    ForeignFormat(
      name: "packed by xz", beginnings: [[0xFD, 0x37, 0x7A, 0x58, 0x5A]], fix: "xz -dk FILE"),
    ForeignFormat(
      name: "packed by zstd", beginnings: [[0x28, 0xB5, 0x2F, 0xFD]], fix: "zstd -d FILE"),
    ForeignFormat("packed by bzip2", ["BZh"], "bunzip2 -k FILE"),
    ForeignFormat(
      name: "a 7z archive", beginnings: [[0x37, 0x7A, 0xBC, 0xAF]], fix: "unpack it (7z x FILE)"),
    ForeignFormat(
      "a data base of SQLite", ["SQLite format 3"],
      "python3 -c \"import pandas, sqlite3; pandas.read_sql('SELECT * FROM …', sqlite3.connect('FILE'))"
        + ".to_json('rows.jsonl', orient='records', lines=True, force_ascii=False)\""),
    ForeignFormat(
      name: "a pickle of Python", beginnings: [2, 3, 4, 5].map { [0x80, $0] },
      fix: "write its rows with json.dumps in the program that made it, one a line"),
    ForeignFormat(
      name: "text in UTF-32", beginnings: [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]],
      fix: "iconv -f UTF-32 -t UTF-8 FILE > rows.jsonl"),
    ForeignFormat(
      name: "text in UTF-16", beginnings: [[0xFF, 0xFE], [0xFE, 0xFF]],
      fix: "iconv -f UTF-16 -t UTF-8 FILE > rows.jsonl"),
    ForeignFormat(
      name: "text in UTF-16", beginnings: "[{\"".utf8.map { [$0, 0] },
      fix: "iconv -f UTF-16LE -t UTF-8 FILE > rows.jsonl"),
    ForeignFormat(
      name: "text in UTF-16", beginnings: "[{\"".utf8.map { [0, $0] },
      fix: "iconv -f UTF-16BE -t UTF-8 FILE > rows.jsonl"),
    ForeignFormat(
      "a pointer to a file that Git LFS keeps", ["version https://git-lfs"],
      "git lfs pull, in the folder that it came with"),
    ForeignFormat(
      "a web page", ["<!DOCTYPE", "<!doctype", "<html"],
      "download the file itself, by the address behind \"download\" or \"raw\""),
    ForeignFormat("a PDF", ["%PDF"], "pdftotext FILE rows.txt, and train on plain texts"),
  ]

  private static func pandas(_ read: String) -> String {
    "python3 -c \"import pandas; pandas.\(read).to_json('rows.jsonl', orient='records', lines=True, "
      + "force_ascii=False)\""
  }
}

extension ForeignFormat {
  fileprivate init(_ name: String, _ beginnings: [String], _ fix: String) {
    self.init(name: name, beginnings: beginnings.map { Array($0.utf8) }, fix: fix)
  }
}
