import CEdit
import FireflyBase
import Foundation

/// Messages typed at a terminal: with editing, history and wide characters (libedit), and kept from one start to the next.
/// Pasted lines are part of one message, as bracketed paste tells them from typed ones.
final class LineEditor {
  /// How the typing of a message ended.
  enum Typed {
    case text(String)
    /// Ctrl-C: what was typed is thrown away.
    case interrupted(wasEmpty: Bool)
    /// Ctrl-D, or the terminal has gone.
    case end
  }

  let editor: OpaquePointer
  let keyboard: Keyboard
  /// What a key made of the message under way.
  var interrupt: Typed?
  /// Shown before the text.
  private(set) var prompt = ""
  /// The same for libedit, which asks for it whenever it draws.
  private var drawnPrompt = strdup("")
  private let history = history_init()
  private let historyFile: String
  private static let kept: Int32 = 1000

  /// The history is in `$XDG_STATE_HOME/firefly`, `~/.local/state/firefly` by default. An editor lives as long as the
  /// program.
  ///
  /// - Throws: `FireflyError` when the terminal cannot be used.
  init(history name: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let state =
      environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.local/state"
    historyFile = "\(state)/firefly/\(name)"
    _ = Columns.knowsWideCharacters
    // Standard output is for answers alone.
    guard let keys = fdopen(STDIN_FILENO, "r"), let screen = fdopen(STDERR_FILENO, "w"),
      let editor = el_init("firefly", keys, screen, screen)
    else {
      throw FireflyError("the terminal cannot be used for typing")
    }
    self.editor = editor
    keyboard = try Keyboard()
    edit_set_owner(editor, Unmanaged.passUnretained(self).toOpaque())
    edit_use_emacs_keys(editor)
    el_source(editor, nil)  // the user's own ~/.editrc
    edit_set_prompt(editor) { edit_owner($0).map { LineEditor.at($0).drawnPrompt } ?? nil }
    history_set_size(history, LineEditor.kept)
    history_load(history, historyFile)
    edit_use_history(editor, history)
    addKeys()
  }

  /// The editor that libedit calls back.
  static func at(_ owner: UnsafeMutableRawPointer) -> LineEditor {
    Unmanaged<LineEditor>.fromOpaque(owner).takeUnretainedValue()
  }

  /// The next message, or a line of one.
  func line(prompt: String) -> Typed {
    self.prompt = prompt
    free(drawnPrompt)
    drawnPrompt = strdup(prompt)
    interrupt = nil
    el_resize(editor)  // the terminal may have another size than before the answer
    edit_set_raw(editor, 1)  // before the prompt stands there, so that the terminal shows no key by itself
    keyboard.askForBrackets(true)
    defer { keyboard.askForBrackets(false) }
    var length: Int32 = 0
    guard let typed = el_gets(editor, &length), length > 0 else {
      return interrupt ?? .end
    }
    var line = String(cString: typed)
    if line.last == "\n" { line.removeLast() }
    if !line.trimmingCharacters(in: .whitespaces).isEmpty { keep(line) }
    return .text(line)
  }

  /// What cannot be kept is only not there next time.
  private func keep(_ line: String) {
    history_append(history, line)
    try? AtomicFile.makeFolder(historyFile.parentFolder)
    history_save(history, historyFile)
    chmod(historyFile, 0o600)
  }
}
