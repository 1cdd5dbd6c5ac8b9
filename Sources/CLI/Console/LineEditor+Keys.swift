import CEdit
import FireflyBase
import Foundation

/// What keys do beside libedit's own.
extension LineEditor {
  /// A terminal writes these around what is pasted, once it is asked to.
  static let pasteBegin = "\u{1B}[200~"
  static let pasteEnd = "\u{1B}[201~"

  func addKeys() {
    edit_set_reader(editor) { editor, character in
      guard let editor, let character, let owner = edit_owner(editor) else { return -1 }
      return LineEditor.at(owner).read(into: character)
    }
    edit_add_command(editor, "firefly-paste") { editor, _ in
      guard let owner = edit_owner(editor) else { return UInt8(CC_ERROR) }
      return LineEditor.at(owner).paste()
    }
    edit_add_command(editor, "firefly-line-break") { editor, _ in
      el_insertstr(editor, "\n") == 0 ? UInt8(CC_REFRESH) : UInt8(CC_ERROR)
    }
    edit_add_command(editor, "firefly-complete") { editor, key in _el_fn_complete(editor, key) }
    edit_bind(editor, LineEditor.pasteBegin, "firefly-paste")
    for keys in ["\u{1B}\r", "\u{1B}\n"] { edit_bind(editor, keys, "firefly-line-break") }
    edit_bind(editor, "^I", "firefly-complete")
    for (keys, command) in LineEditor.usual { edit_bind(editor, "\u{1B}[" + keys, command) }
    edit_bind(editor, "^R", "em-inc-search-prev")
  }

  /// Keys that libedit leaves to programs: Home, End, Delete, and Ctrl with an arrow.
  private static let usual = [
    ("H", "ed-move-to-beg"), ("F", "ed-move-to-end"), ("1~", "ed-move-to-beg"), ("4~", "ed-move-to-end"),
    ("7~", "ed-move-to-beg"), ("8~", "ed-move-to-end"), ("3~", "ed-delete-next-char"),
    ("1;5C", "em-next-word"), ("1;5D", "ed-prev-word"),
  ]

  /// Puts what is pasted into the text as it is, line breaks too.
  private func paste() -> UInt8 {
    let end = Array(LineEditor.pasteEnd.unicodeScalars)
    var pasted: [Unicode.Scalar] = []
    while pasted.suffix(end.count) != end[...] {
      var character = wchar_t(0)
      guard el_wgetc(editor, &character) == 1 else { return UInt8(CC_EOF) }
      if let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: character)) { pasted.append(scalar) }
    }
    let text = LineEditor.plain(pasted.dropLast(end.count))
    return text.isEmpty || el_insertstr(editor, text) == 0 ? UInt8(CC_REFRESH) : UInt8(CC_ERROR)
  }

  /// The text without control characters other than tabs and the ends of lines: nobody means them.
  private static func plain(_ pasted: ArraySlice<Unicode.Scalar>) -> String {
    let kept = pasted.filter { $0.value >= 0x20 || $0 == "\n" || $0 == "\r" || $0 == "\t" }
    return String(String.UnicodeScalarView(kept.map { $0 == "\r" ? "\n" : $0 }))
  }

  /// The next character for libedit: 1 with it, 0 at the end of input, -1 after Ctrl-C.
  private func read(into character: UnsafeMutablePointer<wchar_t>) -> Int32 {
    while true {
      switch keyboard.next() {
      case .character(let scalar):
        character.pointee = wchar_t(scalar.value)
        return 1
      case .end: return 0
      case .signal(SIGINT):
        interrupt = .interrupted(wasEmpty: typed.whole.isEmpty)
        leave()
        return -1
      case .signal(SIGWINCH): redraw()
      case .signal: resume()
      }
    }
  }

  // MARK: - Drawing

  /// What is typed, up to the cursor and as a whole.
  private var typed: (beforeCursor: String, whole: String) {
    guard let line = el_line(editor)?.pointee, let start = line.buffer else { return ("", "") }
    func text(upTo end: UnsafePointer<CChar>?) -> String {
      let bytes = UnsafeBufferPointer(start: start, count: end.map { $0 - start } ?? 0)
      return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    return (text(upTo: line.cursor), text(upTo: line.lastchar))
  }

  private func row(of text: String) -> Int {
    TypedShape(text: prompt + text).row(columns: Terminal.columns(STDERR_FILENO) ?? 80)
  }

  /// The terminal is another width: it has wrapped the text anew, so that the cursor stands on another row of it.
  private func redraw() {
    let row = row(of: typed.beforeCursor)
    put("\r" + (row > 0 ? "\u{1B}[\(row)A" : "") + "\u{1B}[J")
    el_resize(editor)
    edit_draw(editor)
  }

  /// Takes the cursor below the text, which stays as it was when Ctrl-C came.
  private func leave() {
    let below = row(of: typed.whole) - row(of: typed.beforeCursor)
    put(String(repeating: "\n", count: max(0, below)) + "^C\r\n")
  }

  /// Back from Ctrl-Z: the shell has used the terminal meanwhile.
  private func resume() {
    edit_set_raw(editor, 0)
    edit_set_raw(editor, 1)
    keyboard.askForBrackets(true)
    el_resize(editor)
    edit_draw(editor)
  }

  private func put(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}
