import FireflyBase
import FireflyTensors
import Foundation

/// The program: the table of verbs, and what becomes of errors.
package enum Program {
  /// Every verb, in the order of the help.
  package static let verbs: [Verb] = [
    DownloadCommand.verb, TrainCommand.verb, PlanCommand.verb, DataCommand.verb, KeysCommand.verb,
    ChatCommand.verb, GenerateCommand.verb, ServeCommand.verb, StudioCommand.verb, EvalCommand.verb,
    MergeCommand.verb, QuantizeCommand.verb, ExportCommand.verb,
    TokenizeCommand.verb, InspectCommand.verb, BenchCommand.verb, EnvCommand.verb,
    SchemaCommand.verb, CompletionCommand.verb { verbs },
    ManualCommand.verb(of: { verbs }, version: Version.number),
  ]

  private enum Status {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let badUsage: Int32 = 2
  }

  /// Runs `firefly` with the words after the program's name.
  ///
  /// - Returns: the exit status: 0, 1 (failed) or 2 (bad usage).
  package static func run(_ words: [String]) -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)  // a file beyond the limit of sizes is an error of writing, as a full disk is
    LostFile.watch()
    Messages.clearProgressOnSignals()
    defer { Messages.clearProgress() }
    do {
      try allowFiles()
      try dispatch(words)
      try LostFile.check()
      return Status.done
    } catch is OutputClosed {
      return Status.done
    } catch let error as UsageError {
      let help = "firefly " + (error.verb.map { $0 + " " } ?? "") + "--help"
      Messages.failure(error)
      Messages.line("Try '\(help)'.")
      return Status.badUsage
    } catch {
      Messages.failure(error)
      return Status.failed
    }
  }

  /// Descriptors without which the system's own libraries do not work.
  private static let fewestFiles: rlim_t = 16

  /// Takes as many descriptors as the system allows; many shells allow a process fewer than it may have.
  ///
  /// - Throws: `FireflyError` when it allows too few for anything.
  private static func allowFiles() throws {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(kind, &limit)
    guard limit.rlim_cur >= fewestFiles else {
      throw FireflyError(
        "this process may not open enough files", expected: "at least \(fewestFiles)",
        found: "\(limit.rlim_cur)", fix: "Raise the limit: ulimit -n 1024.")
    }
  }

  private static func dispatch(_ words: [String]) throws {
    guard let first = words.first else {
      Messages.line(Help(columns: Terminal.columns(STDERR_FILENO) ?? Help.usualWidth).program(verbs))
      throw UsageError("a verb is missing")
    }
    switch first {
    case "--help", "-h", "help": try help(Array(words.dropFirst()))
    case "--version": try print("firefly \(Version.number)\n")
    default:
      _ = try InstructionSet.current()
      _ = try Parallel.threadsFromEnvironment()
      MemoryNodes.spreadPages()  // before there are other threads
      EnvironmentNotes.lines(ProcessInfo.processInfo.environment).forEach(Messages.note)
      let verb = try named(first)
      switch try Arguments.parse(Array(words.dropFirst()), for: verb) {
      case .help: try help([verb.name])
      case .run(let arguments): try verb.run(arguments)
      }
    }
  }

  /// The help of the program, or of the verb that is named.
  private static func help(_ words: [String]) throws {
    if words.count > 1 { throw UsageError("help tells of one verb, found '\(words.joined(separator: " "))'") }
    let help = Help.ofOutput
    try print(try words.first.map { help.verb(try named($0)) } ?? help.program(verbs))
  }

  private static func named(_ name: String) throws -> Verb {
    if let verb = verbs.first(where: { $0.name == name }) { return verb }
    let what = name.hasPrefix("-") ? "option" : "verb"
    let names = verbs.map(\.name) + ["--help", "--version"]
    let nearest = nearestName(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
    throw UsageError("unknown \(what) \(name)\(nearest)")
  }

  private static func print(_ text: String) throws {
    let output = Output()
    try output.write(text)
    try output.flush()
  }
}
