import CEdit
import FireflyBase
import Foundation

/// Lines typed at a terminal: with editing, history and wide characters (libedit), and kept from one start to the next.
final class LineEditor {
  private let historyFile: String
  private static let kept: Int32 = 1000

  /// The history is in `$XDG_STATE_HOME/firefly`, `~/.local/state/firefly` by default.
  init(history name: String) {
    let environment = ProcessInfo.processInfo.environment
    let state =
      environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.local/state"
    historyFile = "\(state)/firefly/\(name)"
    // Wide characters need a UTF-8 locale, which a bare shell does not have.
    if setlocale(LC_CTYPE, "").map({ String(cString: $0) })?.uppercased().contains("UTF-8") != true {
      setlocale(LC_CTYPE, "C.UTF-8")
    }
    using_history()
    stifle_history(LineEditor.kept)
    read_history(historyFile)
  }

  /// The next line without its end; nil at the end of input. Ctrl-C does nothing meanwhile.
  func line(prompt: String) -> String? {
    let before = signal(SIGINT, SIG_IGN)
    defer { signal(SIGINT, before) }
    guard let text = readline(prompt) else { return nil }
    defer { free(text) }
    let line = String(cString: text)
    if !line.trimmingCharacters(in: .whitespaces).isEmpty {
      add_history(text)
      save()
    }
    return line
  }

  /// What cannot be kept is only not there next time.
  private func save() {
    try? AtomicFile.makeFolder(historyFile.parentFolder)
    write_history(historyFile)
    chmod(historyFile, 0o600)
  }
}
