import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Which rows of which files are taken.
@Suite struct DataSelectionTests {
  private static func rows(_ numbers: some Sequence<Int>, _ letter: String = "q") -> String {
    numbers.map { #"{"conversation": [{"human": "\#(letter)\#($0)", "assistant": "a"}]}"# + "\n" }.joined()
  }

  private static func load(
    _ files: [DataFile], seed: UInt64 = 1, heldOut: HeldOut? = nil, maxRows: Int? = nil,
    part: DataSelection.Part = .training, cache: DataCache? = nil, in folder: TemporaryFolder
  ) throws -> Dataset {
    let files = files.map { DataFile("\(folder.path)/\($0.path)", share: $0.share, maxRows: $0.maxRows) }
    return try Dataset.load(
      DataSelection(files, seed: seed, heldOut: heldOut, maxRows: maxRows, part: part),
      template: ChatTemplate.named("firefly"), tokenizer: CharacterTokenizer(vocabularySize: 1200),
      maxLength: 64, cache: cache)
  }

  /// What the users of the rows say.
  private static func asked(_ data: Dataset) -> [String] {
    data.samples.map { sample in
      let text = CharacterTokenizer().decode(sample.tokens, skipSpecial: false)
      return String(text.dropFirst("<s>".count).prefix { $0 != "<" })
    }
  }

  @Test func filesFollowEachOtherAndLinesAreCountedOn() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(1...2) + "\n", to: "a.jsonl")
    try folder.write("\n" + Self.rows(1...2, "r"), to: "b.jsonl")
    let data = try Self.load([DataFile("a.jsonl"), DataFile("b.jsonl"), DataFile("a.jsonl")], in: folder)
    #expect(Self.asked(data) == ["q1", "q2", "r1", "r2", "q1", "q2"])
    #expect(data.samples.map(\.line) == [1, 2, 4, 5, 6, 7])
    #expect(data.report.place(4) == "\(folder.path)/b.jsonl:2")
    #expect(data.report.place(6) == "\(folder.path)/a.jsonl:1")
    #expect(data.report.places([2, 5]) == "\(folder.path)/a.jsonl:2, \(folder.path)/b.jsonl:3")
    #expect(data.report.rows == 6 && data.report.available == 6 && data.report.files.count == 3)
  }

  @Test func aShareIsThatPartOfItsFileAlone() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(0..<2000), to: "a.jsonl")
    try folder.write(Self.rows(0..<50, "r"), to: "b.jsonl")
    let data = try Self.load([DataFile("a.jsonl", share: 0.3), DataFile("b.jsonl")], in: folder)
    let (a, b) = (
      Self.asked(data).filter { $0.hasPrefix("q") }, Self.asked(data).filter { $0.hasPrefix("r") }
    )
    #expect(b.count == 50)
    // 600 with a deviation of √(2000 · 0.3 · 0.7) = 20.5.
    #expect((520...680).contains(a.count), "\(a.count)")
    #expect(data.report.summary.first == "\(a.count + 50) of 2050 rows chosen by what they hold")
    let other = try Self.load([DataFile("a.jsonl", share: 0.3)], seed: 2, in: folder)
    #expect(Set(Self.asked(other)) != Set(a))
  }

  /// A row's lot depends on nothing but what it holds.
  @Test func addedAndMovedRowsChangeNothingForTheOthers() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(0..<300), to: "before.jsonl")
    try folder.write(Self.rows((0..<300).reversed()) + Self.rows(300..<400), to: "after.jsonl")
    func chosen(_ name: String, _ heldOut: HeldOut?, _ part: DataSelection.Part) throws -> Set<String> {
      let file = DataFile(name, share: heldOut == nil ? 0.5 : nil)
      let data = try Self.load([file], heldOut: heldOut, part: part, in: folder)
      return Set(Self.asked(data)).filter { (Int($0.dropFirst()) ?? 0) < 300 }
    }
    #expect(try chosen("before.jsonl", nil, .training) == chosen("after.jsonl", nil, .training))
    #expect(
      try chosen("before.jsonl", .share(0.2), .heldOut) == chosen("after.jsonl", .share(0.2), .heldOut))
  }

  @Test func mostRowsAreExactAndKeepTheirOrder() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(0..<100), to: "a.jsonl")
    try folder.write(Self.rows(0..<100, "r"), to: "b.jsonl")
    let files = [DataFile("a.jsonl", maxRows: 30), DataFile("b.jsonl")]
    let capped = try Self.load(files, in: folder)
    #expect(Self.asked(capped).count { $0.hasPrefix("q") } == 30)
    #expect(capped.samples.map(\.line) == capped.samples.map(\.line).sorted())
    let few = try Self.load(files, maxRows: 40, in: folder)
    #expect(few.samples.count == 40)
    #expect(Set(Self.asked(few)).isSubset(of: Self.asked(capped)))
    #expect(try Self.load(files, maxRows: 1000, in: folder).samples.count == 130)
  }

  @Test(arguments: [HeldOut.share(0.25), .rows(20)])
  func heldOutRowsAreNotTrainedOn(_ heldOut: HeldOut) throws {
    let folder = try TemporaryFolder()
    // Every row stands there twice.
    try folder.write(Self.rows(0..<100) + Self.rows(0..<100), to: "a.jsonl")
    func asked(_ part: DataSelection.Part, seed: UInt64 = 1, maxRows: Int? = nil) throws -> [String] {
      Self.asked(
        try Self.load(
          [DataFile("a.jsonl")], seed: seed, heldOut: heldOut, maxRows: maxRows, part: part, in: folder))
    }
    let (training, held) = (try asked(.training), try asked(.heldOut))
    #expect(training.count + held.count == 200 && !held.isEmpty)
    #expect(Set(training).isDisjoint(with: held))
    if heldOut == .rows(20) { #expect(held.count == 20) }
    #expect(try asked(.heldOut, seed: 2, maxRows: 5) == held)
    #expect(try asked(.training, maxRows: 5).count == 5)
  }

  @Test func nothingHeldOutIsAnError() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(0..<3), to: "a.jsonl")
    let none = thrownError {
      _ = try Self.load([DataFile("a.jsonl")], heldOut: .share(1e-9), part: .heldOut, in: folder)
    }
    #expect(none?.what == "no row is held out to evaluate on" && none?.fix == "Raise val_size.")
    let all = thrownError { _ = try Self.load([DataFile("a.jsonl")], heldOut: .rows(3), in: folder) }
    #expect(all?.what == "no row is left to train on" && all?.found == "none of 3 rows chosen")
  }

  @Test func theCacheTellsSelectionsApart() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.rows(0..<100), to: "a.jsonl")
    let cache = DataCache(folder: folder.path + "/cache", smallestBytes: 0)
    let whole = try Self.load([DataFile("a.jsonl")], cache: cache, in: folder)
    let part = try Self.load([DataFile("a.jsonl", maxRows: 10)], cache: cache, in: folder)
    let again = try Self.load([DataFile("a.jsonl", maxRows: 10)], cache: cache, in: folder)
    #expect(whole.samples.count == 100 && part.samples.count == 10)
    #expect(Array(again.samples) == Array(part.samples) && again.report == part.report)
  }

  @Test func plainTextsAreChosenTooAndTheOriginalsCacheIsPassedOver() throws {
    let folder = try TemporaryFolder()
    try folder.write(#"{"text": "abcd"}"# + "\n" + #"{"text": "efgh"}"#, to: "texts/a.jsonl")
    try folder.write("ijkl", to: "texts/b.txt")
    try folder.write(#"{"citation": ""}"#, to: "texts/cache/a/dataset_info.json")
    func load(_ file: DataFile) throws -> Dataset {
      try Dataset.load(
        DataSelection([file], seed: 1), template: nil, tokenizer: CharacterTokenizer(), maxLength: 4)
    }
    let whole = try load(DataFile(folder.path + "/texts"))
    #expect(whole.samples.map(\.line) == [1, 2, 3])
    #expect(whole.report.place(3) == "\(folder.path)/texts/b.txt:1")
    let two = try load(DataFile(folder.path + "/texts", maxRows: 2))
    #expect(two.report.rows == 2 && two.report.available == 3)
  }
}

/// What is learnt of a conversation.
@Suite struct LearntPartsTests {
  private static func targets(_ learnt: LearntParts, maxLength: Int = 64) throws -> [String] {
    let folder = try TemporaryFolder()
    let row =
      #"{"system": "s", "conversation": [{"human": "a", "assistant": "bc"}, {"human": "d", "assistant": "e"}]}"#
    try folder.write(row, to: "rows.jsonl")
    let data = try Dataset.load(
      DataSelection([DataFile(folder.path + "/rows.jsonl")]), template: ChatTemplate.named("firefly"),
      learnt: learnt, tokenizer: CharacterTokenizer(), maxLength: maxLength)
    let sample = data.samples[0]
    return sample.targets.map { CharacterTokenizer().decode(Array(sample.tokens[$0]), skipSpecial: false) }
  }

  @Test func answersOrTheLastOneOrAll() throws {
    #expect(try Self.targets(.answers) == ["bc</s>", "e</s>"])
    #expect(try Self.targets(.lastAnswer) == ["e</s>"])
    // All but the first token, which nothing precedes.
    #expect(try Self.targets(.everything) == ["a</s>bc</s>d</s>e</s>"])
    #expect(try Self.targets(.everything, maxLength: 4) == ["a</s>b"])
    let cut = thrownError { _ = try Self.targets(.lastAnswer, maxLength: 6) }
    #expect(cut?.what == "no row is left to train on")
  }
}
