import FireflyBase
import Foundation
import Testing

/// The program at a terminal of its own, as a user has it: keys go in, and what it writes is waited for.
final class PseudoTerminal {
  /// How long anything that is waited for may take.
  private static let patience: Duration = .seconds(120)

  private let terminal: Int32
  private let process: pid_t
  private var hasEnded = false
  /// What was written and not yet taken by `expect`.
  private var unread: [UInt8] = []
  /// All that was written.
  private(set) var output: [UInt8] = []

  /// - Parameter environment: variables beside this process's own.
  init(_ words: [String], columns: UInt16 = 80, environment: [String: String] = [:]) throws {
    var (user, program): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(openpty(&user, &program, nil, nil, &size) == 0)
    terminal = user
    defer { close(program) }  // the program has opened it by itself
    for end in [user, program] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let name = try #require(ttyname(program).map { String(cString: $0) })
    let variables = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }.merging(environment)
    { $1 }
    process = try PseudoTerminal.start(Command.executable(), words, at: name, variables)
  }

  /// POSIX_SPAWN_SETSID, which the C library shows to programs that ask for its own extensions.
  private static let newSession: Int16 = 0x80

  /// Starts a session whose terminal is the one that the child opens first.
  private static func start(
    _ path: String, _ words: [String], at terminal: String, _ environment: [String: String]
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of the test runner block signals, and what they start would block them too.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, PseudoTerminal.newSession | Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = ([path] + words).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process = pid_t()
    try #require(posix_spawn(&process, path, &actions, &attributes, &arguments, &variables) == 0)
    return process
  }

  deinit {
    if !hasEnded { kill(process, SIGKILL) }
    close(terminal)
  }

  func type(_ text: String) throws { try #require(writeAll(Array(text.utf8), to: terminal) == nil) }

  /// The user makes the window another width.
  func resize(columns: UInt16) throws {
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
  }

  /// Waits until `text` is written.
  ///
  /// - Returns: what came since the last call, up to and with it.
  @discardableResult
  func expect(_ text: String) throws -> String {
    let deadline = ContinuousClock.now + PseudoTerminal.patience
    while true {
      if let range = unread.firstRange(of: Array(text.utf8)) {
        let before = String(decoding: unread[..<range.upperBound], as: UTF8.self)
        unread.removeSubrange(..<range.upperBound)
        return before
      }
      let came = ContinuousClock.now < deadline && read(until: deadline)
      try #require(came, "\(text.debugDescription) did not come: \(String(decoding: unread, as: UTF8.self))")
    }
  }

  /// Waits for the program's end.
  ///
  /// - Returns: its exit status, or 128 and the signal that ended it; and what it wrote since the last `expect`.
  func end() throws -> (status: Int32, text: String) {
    let deadline = ContinuousClock.now + PseudoTerminal.patience
    while read(until: deadline) {}
    try #require(
      ContinuousClock.now < deadline, "the program goes on: \(String(decoding: unread, as: UTF8.self))")
    var status: Int32 = 0
    try #require(waitpid(process, &status, 0) == process)
    hasEnded = true
    let signal = status & 0x7F
    return (signal == 0 ? status >> 8 & 0xFF : 128 + signal, String(decoding: unread, as: UTF8.self))
  }

  /// Reads what is there, once it is; false when the program has closed the terminal or time is over.
  private func read(until deadline: ContinuousClock.Instant) -> Bool {
    var wanted = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    let left = max(0, (deadline - ContinuousClock.now).seconds)
    guard poll(&wanted, 1, Int32(left * 1000)) > 0 else { return false }
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = Foundation.read(terminal, &chunk, chunk.count)
    guard count > 0 else { return false }
    unread += chunk.prefix(count)
    output += chunk.prefix(count)
    return true
  }
}
