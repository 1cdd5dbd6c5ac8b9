import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Rows are kept between runs, and never the wrong ones.
@Suite struct DataCacheTests {
  /// A folder of its own with a data file of `rows` conversations.
  private struct Place {
    let folder: String
    var data: String { folder + "/rows.jsonl" }
    var cache: DataCache { DataCache(folder: folder + "/cache", smallestBytes: 0) }

    func write(_ rows: Int = 50, answer: String = "a") throws {
      let lines = (1...rows).map {
        #"{"conversation": [{"human": "q\#($0)", "assistant": "\#(answer)\#($0)"}]}"#
      }
      try lines.joined(separator: "\n").write(toFile: data, atomically: false, encoding: .utf8)
    }

    var files: [String] {
      get throws {
        guard FileManager.default.fileExists(atPath: cache.folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: cache.folder).sorted()
      }
    }
  }

  private static func inFolder(_ body: (Place) throws -> Void) throws {
    try inTemporaryFolder { try body(Place(folder: $0)) }
  }

  private static let tokenizer = CharacterTokenizer(vocabularySize: 1200)

  /// - Returns: the data set, and whether rows were read for it.
  private static func load(
    _ place: Place, template: String = "firefly", maxLength: Int = 64,
    tokenizer: CharacterTokenizer = tokenizer,
    cache: DataCache?
  ) throws -> (data: Dataset, isFresh: Bool) {
    var isFresh = false
    let data = try Dataset.load(
      place.data, template: try ChatTemplate.named(template), tokenizer: tokenizer, maxLength: maxLength,
      cache: cache
    ) { _ in isFresh = true }
    return (data, isFresh)
  }

  @Test func theSecondStartReadsNoRows() throws {
    try Self.inFolder { place in
      try place.write()
      let plain = try Self.load(place, maxLength: 6, cache: nil)
      let first = try Self.load(place, maxLength: 6, cache: place.cache)
      let second = try Self.load(place, maxLength: 6, cache: place.cache)
      #expect(plain.isFresh && first.isFresh && !second.isFresh)
      for data in [first.data, second.data] {
        #expect(Array(data.samples) == Array(plain.data.samples))
        #expect(data.report == plain.data.report)
        #expect(data.samples.sizes.map(\.tokens) == plain.data.samples.map(\.tokens.count))
        #expect(data.samples.sizes.map(\.targets) == plain.data.samples.map(\.targetCount))
        #expect(data.samples.digest == plain.data.samples.digest)
        #expect(data.samples.largestToken == plain.data.samples.largestToken)
      }
      #expect(plain.data.samples.largestToken.id == plain.data.samples.flatMap(\.tokens).max())
      #expect(plain.data.samples.distinctTokens == Set(plain.data.samples.flatMap(\.tokens)).count)
      #expect(plain.data.report.truncated.count > 0)
      #expect(try place.files.count == 1)
    }
  }

  @Test func whateverChangesTheRowsIsNoticed() throws {
    try Self.inFolder { place in
      try place.write()
      let first = try Self.load(place, cache: place.cache)
      #expect(try Self.load(place, template: "default", cache: place.cache).isFresh)
      #expect(try Self.load(place, maxLength: 63, cache: place.cache).isFresh)
      let other = CharacterTokenizer(specials: ["<pad>", "<s>", "</s>", "<x>"], vocabularySize: 1200)
      #expect(try Self.load(place, tokenizer: other, cache: place.cache).isFresh)
      #expect(try !Self.load(place, cache: place.cache).isFresh)

      // One letter, neither size nor time of the file.
      let date = try FileManager.default.attributesOfItem(atPath: place.data)[.modificationDate]
      try place.write(answer: "b")
      try FileManager.default.setAttributes([.modificationDate: try #require(date)], ofItemAtPath: place.data)
      let changed = try Self.load(place, cache: place.cache)
      #expect(changed.isFresh)
      #expect(changed.data.samples.digest != first.data.samples.digest)
    }
  }

  @Test func anotherTemplateOfTheModelIsNoticed() throws {
    try Self.inFolder { place in
      try place.write()
      func load(_ source: String) throws -> Bool {
        var tokenizer = Self.tokenizer
        tokenizer.chatTemplate = source
        var isFresh = false
        _ = try Dataset.load(
          place.data, template: try ChatTemplate.named("auto", tokenizer: tokenizer), tokenizer: tokenizer,
          maxLength: 99, cache: place.cache
        ) { _ in isFresh = true }
        return isFresh
      }
      let source = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
      #expect(try load(source))
      #expect(try !load(source))
      #expect(try load(source + " "))
    }
  }

  @Test func damageIsNoticedAndMended() throws {
    try Self.inFolder { place in
      try place.write()
      let rows = Array(try Self.load(place, cache: place.cache).data.samples)
      let path = place.cache.folder + "/" + (try #require(try place.files.first))
      let whole = try Data(contentsOf: URL(filePath: path))
      var damaged = stride(from: 0, to: whole.count, by: 97).map { offset in
        var data = whole
        data[offset] ^= 0x10
        return data
      }
      damaged += [Data(), whole.prefix(100), whole.dropLast(8), whole + Data(count: 8), Data(count: 4096)]
      for data in damaged {
        try data.write(to: URL(filePath: path))
        let mended = try Self.load(place, cache: place.cache)
        #expect(mended.isFresh)
        #expect(Array(mended.data.samples) == rows)
        #expect(try Data(contentsOf: URL(filePath: path)) == whole)
      }
    }
  }

  @Test func keepsTheLastOfEachFile() throws {
    try Self.inFolder { place in
      try place.write()
      for length in 20..<30 { _ = try Self.load(place, maxLength: length, cache: place.cache) }
      #expect(try place.files.count == 4)
      #expect(try !Self.load(place, maxLength: 29, cache: place.cache).isFresh)
    }
  }

  @Test func smallDataIsNotKept() throws {
    try Self.inFolder { place in
      try place.write()
      let cache = DataCache(folder: place.cache.folder)
      #expect(try Self.load(place, cache: cache).isFresh)
      #expect(try place.files.isEmpty)
    }
  }

  @Test func aBadRowLeavesNothingBehind() throws {
    try Self.inFolder { place in
      try place.write()
      let handle = try #require(FileHandle(forWritingAtPath: place.data))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("\n{".utf8))
      try handle.close()
      #expect(throws: FireflyError.self) { try Self.load(place, cache: place.cache) }
      #expect(try place.files.isEmpty)
    }
  }

  @Test func aFolderThatCannotBeMadeIsTold() throws {
    try Self.inFolder { place in
      try place.write()
      let cache = DataCache(folder: place.data + "/cache", smallestBytes: 0)
      let error = #expect(throws: FireflyError.self) { try Self.load(place, cache: cache) }
      #expect(error?.fix?.contains("data_cache") == true)
    }
  }

  @Test func theStandardFolderFollowsTheEnvironment() {
    #expect(DataCache.standardFolder(["XDG_CACHE_HOME": "/x"]) == "/x/firefly")
    #expect(DataCache.standardFolder(["XDG_CACHE_HOME": "/x", "FIREFLY_DATA_CACHE": "/y"]) == "/y")
    #expect(DataCache.standardFolder(["FIREFLY_DATA_CACHE": "off"]) == nil)
    #expect(DataCache.standardFolder(["XDG_CACHE_HOME": "relative"])?.hasSuffix("/.cache/firefly") == true)
  }
}
