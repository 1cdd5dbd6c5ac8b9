import FireflyBase
import FireflyServer
import FireflyTraining
import Foundation

/// What the studio keeps of a run that it started, in a folder of its own:
///
///     studio/NAME/config.json    what `firefly train` reads
///     studio/NAME/output.log     what it prints
///     studio/NAME/process.json   the process that runs it, or did
struct RunRecord {
  let name: String
  let folder: String
  var config: String { "\(folder)/config.json" }
  var log: String { "\(folder)/output.log" }
  private var process: String { "\(folder)/process.json" }

  private static let longestName = 64

  /// - Parameter studio: the folder of all records.
  /// - Throws: `APIError` for what cannot be the name of a folder of one's own.
  init(_ name: String, in studio: String) throws {
    guard !name.isEmpty, name.allSatisfy(RunRecord.isPlain), !name.hasPrefix("."),
      name.count <= RunRecord.longestName
    else {
      throw APIError.invalid(
        "\"\(name.prefix(100))\": a run's name has letters, digits, - and _, and at most \(RunRecord.longestName).",
        "name")
    }
    self.name = name
    folder = "\(studio)/\(name)"
  }

  private static func isPlain(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || "-_.".contains(character)
  }

  /// A name for a run that writes to `output`.
  static func name(of output: String) -> String {
    let last = URL(filePath: output).lastPathComponent.drop { $0 == "." }
    let plain = String(last.prefix(longestName - 8).map { isPlain($0) ? $0 : "-" })
    return plain.isEmpty ? "run" : plain
  }

  var exists: Bool { FileManager.default.fileExists(atPath: config) }

  var settings: JSONValue? { try? JSONValue.read(config) }

  /// nil when the process has ended.
  var running: RunProcess? {
    guard let json = try? JSONValue.read(process), let found = RunProcess(json), found.isRunning else {
      return nil
    }
    return found
  }

  /// Where the run was started, and relative paths begin.
  private var startedIn: String? { (try? JSONValue.read(process))?["started_in"]?.string }

  func write(_ settings: JSONValue) throws {
    try AtomicFile.makeFolder(folder)
    try AtomicFile.write(settings, to: config)
  }

  /// - Parameter resumes: goes on from the newest checkpoint, and in the same log.
  func start(_ program: String, resumes: Bool) throws {
    let manager = FileManager.default
    let folder = (resumes ? startedIn : nil) ?? manager.currentDirectoryPath
    if !resumes || !manager.fileExists(atPath: log) { try AtomicFile.write(Data(), to: log) }
    // Each line goes to the end, wherever another process is: the one before may still say that it has stopped.
    let descriptor = open(log, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw FireflyError("cannot write the log", at: log) }
    let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let started = try ChildProgram.start(
      program, ["train", config] + (resumes ? ["--resume"] : []), in: folder, output: output)
    guard case .object(var members) = started?.json else { return }
    members["started_in"] = .string(folder)
    try AtomicFile.write(.object(members), to: process)
  }

  private static let tailBytes = 6000

  /// The end of what the program has printed.
  var logTail: String {
    guard let file = FileHandle(forReadingAtPath: log) else { return "" }
    let length = file.seekToEndOfFile()
    file.seek(toFileOffset: length - min(length, UInt64(RunRecord.tailBytes)))
    return String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
  }

  /// The program's last message, where that is an error.
  var error: String? {
    let tail = logTail
    guard let start = tail.ranges(of: "firefly: ").last, tail[..<start.lowerBound].last ?? "\n" == "\n" else {
      return nil
    }
    let message = tail[start.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
    return message.isEmpty ? nil : message
  }
}
