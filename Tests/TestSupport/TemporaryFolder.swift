import FireflyBase
import Foundation

/// A fresh folder, removed with its contents when let go.
public final class TemporaryFolder {
  public let path: String

  public init() throws {
    path = NSTemporaryDirectory() + "firefly-test-\(UUID().uuidString)"
    try AtomicFile.makeFolder(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and the folders it lies in; an older one, which may be mapped, keeps its bytes.
  ///
  /// - Returns: its path.
  @discardableResult public func write(_ data: Data, to name: String) throws -> String {
    let file = path + "/" + name
    try AtomicFile.makeFolder(file.parentFolder)
    unlink(file)
    try data.write(to: URL(filePath: file))
    return file
  }

  @discardableResult public func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  public func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path + "/" + name)) }

  public func text(_ name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }

  /// Names in the folder or one below, sorted.
  public func names(_ below: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + "/" + below).sorted()
  }
}

/// Runs `body` with the path of a fresh folder that is gone afterwards.
public func inTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) { try body(folder.path) }
}
