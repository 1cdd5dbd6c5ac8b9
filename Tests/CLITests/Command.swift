import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// The built program, run as a user runs it.
enum Command {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// The output's lines as JSON.
    func json() throws -> [JSONValue] {
      try output.split(separator: "\n").map { try JSONValue.parse(String($0), source: "output") }
    }
  }

  /// `firefly` beside the test binary.
  static func executable() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = (own as NSString).deletingLastPathComponent + "/firefly"
    try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
    return path
  }

  static func run(_ words: String..., input: String = "") throws -> Outcome {
    try run(words, input: input)
  }

  /// Runs `firefly` with `words`.
  ///
  /// - Parameters:
  ///   - environment: variables beside this process's own.
  ///   - running: called while it runs.
  static func run(
    _ words: [String], input: String = "", environment: [String: String] = [:],
    running: (Process) throws -> Void = { _ in }
  ) throws -> Outcome {
    try launch(executable(), words, input: input, environment: environment, running: running)
  }

  /// Runs `firefly` twice at the same time.
  static func runTwice(_ words: [String], environment: [String: String]) throws -> [Outcome] {
    var second: Outcome?
    let first = try run(words, environment: environment) { _ in
      second = try run(words, environment: environment)
    }
    return [first, try #require(second)]
  }

  /// Runs a line of bash in which `"$0"` is the program.
  static func shell(_ line: String) throws -> Outcome {
    try launch("/bin/bash", ["-c", line, executable()], input: "")
  }

  /// Standard output and error go through files, so that no pipe can fill up.
  private static func launch(
    _ path: String, _ words: [String], input: String, environment: [String: String] = [:],
    running: (Process) throws -> Void = { _ in }
  ) throws -> Outcome {
    try inTemporaryFolder { folder in
      let paths = ["in", "out", "errors"].map { "\(folder)/\($0)" }
      try AtomicFile.write(Data(input.utf8), to: paths[0])
      for path in paths.dropFirst() { try AtomicFile.write(Data(), to: path) }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: path)
      process.arguments = words
      process.environment = ProcessInfo.processInfo.environment.merging(["FIREFLY_LANG": "en"]) { $1 }
        .merging(environment) { $1 }
      process.standardInput = FileHandle(forReadingAtPath: paths[0])
      process.standardOutput = FileHandle(forWritingAtPath: paths[1])
      process.standardError = FileHandle(forWritingAtPath: paths[2])
      try withoutBlockedSignals { try process.run() }
      let failure = Result { try running(process) }
      process.waitUntilExit()
      try failure.get()
      try #require(process.terminationReason == .exit, "\(path) crashed: \(words)")
      let texts = try paths.dropFirst().map { try String(contentsOfFile: $0, encoding: .utf8) }
      return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
  }

  /// Threads of the test runner block signals, and what they start would block them too.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }
}

/// The tiny model, its adapter and what transformers and PEFT answer; made by tools/reference/chat_fixtures.py.
enum Fixture {
  static let folder = (#filePath as NSString).deletingLastPathComponent + "/Fixtures"
  static let model = folder + "/model"
  static let adapter = folder + "/run/adapter"
  /// What `firefly --version` must say: the number that stands in the sources.
  static let version: String? = {
    let path = folder + "/../../../Sources/CLI/VERSION"
    return (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .newlines)
  }()

  static func expected() throws -> JSONValue { try JSONValue.read(folder + "/expected.json") }
}
