import FireflyBase
import Foundation
import Testing

@Suite final class AtomicFileTests {
  private let folder = NSTemporaryDirectory() + "firefly-base-\(UUID().uuidString)"

  init() throws { try AtomicFile.makeFolder(folder) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private var contents: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  @Test func writesAndReplaces() throws {
    let path = folder + "/a.txt"
    try AtomicFile.write(Data("one".utf8), to: path)
    try AtomicFile.write(Data("two".utf8), to: path)
    #expect(try MappedFile(path).data == Data("two".utf8))
    #expect(contents == ["a.txt"])
  }

  @Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
    let path = folder + "/a.txt"
    try AtomicFile.write(Data("one".utf8), to: path)
    #expect(throws: FireflyError.self) {
      try AtomicFile.write(to: path) { file in
        try file.write(Data("half".utf8))
        throw FireflyError("stopped")
      }
    }
    #expect(try MappedFile(path).data == Data("one".utf8))
    #expect(contents == ["a.txt"])
  }

  /// What lies where the half-written file goes may be somebody's trap, or a dead process's.
  @Test func nothingIsWrittenThroughALink() throws {
    let path = folder + "/a.txt"
    let aside = path + ".partial-\(getpid())"
    try AtomicFile.write(Data("theirs".utf8), to: folder + "/theirs")
    try FileManager.default.createSymbolicLink(atPath: aside, withDestinationPath: folder + "/theirs")
    try AtomicFile.write(Data("one".utf8), to: path)
    #expect(try MappedFile(path).data == Data("one".utf8))
    #expect(try MappedFile(folder + "/theirs").data == Data("theirs".utf8))
    #expect(contents == ["a.txt", "theirs"])
  }

  @Test func aPipeIsNoFile() throws {
    try #require(mkfifo(folder + "/pipe", 0o600) == 0)
    let error = #expect(throws: FireflyError.self) { try MappedFile(self.folder + "/pipe") }
    #expect(error?.what == "not a plain file")
  }

  @Test(arguments: [
    (2.9, 2), (-2.9, -2), (1e300, Int.max), (-1e300, Int.min), (.infinity, .max), (.nan, 0),
    (9.3e18, .max),
  ])
  func numbersOfAnySizeBecomeIntegers(number: Double, expected: Int) {
    #expect(Int(saturating: number) == expected)
  }

  @Test func aFolderIsWholeOrAbsent() throws {
    let path = folder + "/checkpoint-1"
    #expect(throws: FireflyError.self) {
      try AtomicFile.writeFolder(path) { inside in
        try AtomicFile.write(Data("x".utf8), to: inside + "/one")
        throw FireflyError("stopped")
      }
    }
    #expect(contents.isEmpty)
    for text in ["first", "second"] {
      try AtomicFile.writeFolder(path) { inside in
        try AtomicFile.write(Data(text.utf8), to: inside + "/" + text)
      }
    }
    #expect(contents == ["checkpoint-1"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["second"])
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() {
    let error = #expect(throws: FireflyError.self) {
      try AtomicFile.write(Data("x".utf8), to: "/proc/firefly-cannot-be-here")
    }
    #expect(error?.description.contains("/proc/firefly-cannot-be-here") == true)
  }

  @Test func whatCannotBeMappedIsSaid() throws {
    #expect(throws: FireflyError.self) { try MappedFile(folder + "/absent") }
    #expect(throws: FireflyError.self) { try MappedFile(folder) }
    try AtomicFile.write(Data(), to: folder + "/empty")
    #expect(try MappedFile(folder + "/empty").data.isEmpty)
  }

  @Test func anErrorTellsAll() {
    let error = FireflyError("wrong shape", at: "a.b", expected: "[2]", found: "[3]", fix: "Use another.")
    #expect(error.description == "a.b: wrong shape (expected [2], found [3]). Use another.")
  }
}
