import FireflyBase
import Foundation

/// Starts `firefly` with words, as a process of its own that outlives the studio.
enum ChildProgram {
  /// Those that run, so that their ends are noticed.
  private static let running = Locked<[ObjectIdentifier: Process]>([:])

  /// - Parameters:
  ///   - folder: where relative paths begin.
  ///   - output: gets what the program prints, results and messages.
  ///   - ended: is told the exit status, on another thread.
  @discardableResult
  static func start(
    _ program: String, _ words: [String], in folder: String, output: FileHandle,
    ended: @escaping @Sendable (Int32) -> Void = { _ in }
  ) throws -> RunProcess? {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = words
    process.currentDirectoryURL = URL(filePath: folder)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { process in
      running.withLock { $0[ObjectIdentifier(process)] = nil }
      ended(process.terminationStatus)
    }
    do {
      try running.withLock { running in
        try withoutBlockedSignals { try process.run() }
        running[ObjectIdentifier(process)] = process
      }
    } catch {
      throw FireflyError("the program cannot be started: \(error.localizedDescription)", at: program)
    }
    return RunProcess(number: process.processIdentifier)
  }

  /// Dispatch's threads block signals, and what they start would block Ctrl-C too.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// The words as a shell reads them.
  static func commandLine(_ words: [String]) -> String {
    (["firefly"] + words).map { word in
      let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy { plain.contains($0) }
      return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }

  private static let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=:@,+"))
}
