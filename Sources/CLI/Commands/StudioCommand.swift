import FireflyBase
import FireflyStudio
import Foundation

/// `firefly studio [FOLDER]`.
enum StudioCommand {
  private static let folder = Positional(
    "FOLDER",
    "What its file browser shows, and where it keeps its runs, in studio (default: the folder that one is in).",
    isOptional: true)
  private static let port = Option.integer(
    "--port", "N", in: 0...65_535, "The port (default: 0, which takes a free one).")

  static let verb = Verb(
    "studio", summary: "A page in the browser for all of it: choose, train, watch, compare, ask, write.",
    details: """
      Prints an address for this machine's browser; the token in it lets in who opens it, and nobody else. The page writes the \
      configurations that train reads, and shows every command that it runs. A run is a process of its own: it goes on when the \
      studio is stopped with Ctrl-C, and the next studio of the same folder finds it. From another machine: \
      ssh -L PORT:127.0.0.1:PORT with --port PORT.
      """,
    positionals: [folder], options: [port.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    var options = StudioOptions(folder: arguments.optional(folder) ?? ".", program: try program())
    options.port = arguments[port] ?? 0
    let studio = try Studio(options)
    let signals = StopSignals()
    try signals.during {
      let address = try studio.start()
      let output = Output()
      try output.line(address)
      try output.flush()
      Messages.line("open this address in a browser; Ctrl-C ends the studio, and no run")
      signals.wait()
      studio.stop()
    }
  }

  /// The file that this process runs.
  private static func program() throws -> String {
    do {
      return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    } catch {
      throw FireflyError(
        "cannot find the program's own file: \(error.localizedDescription)", at: "/proc/self/exe")
    }
  }
}
