import Foundation
import Testing

@Suite struct PackageTests {
  /// A folder of tests that no target names would pass by never running.
  @Test func everyFolderOfTestsIsATarget() throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let package = try String(
      contentsOf: tests.deletingLastPathComponent().appending(path: "Package.swift"), encoding: .utf8)
    let folders = try FileManager.default.contentsOfDirectory(atPath: tests.path()).filter {
      $0.hasSuffix("Tests")
    }
    #expect(folders.count > 10)
    for folder in folders { #expect(package.contains("name: \"\(folder)\""), "\(folder)") }
  }
}
