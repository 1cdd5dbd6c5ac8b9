import FireflyBase
import Foundation

/// What the program is connected to.
enum Terminal {
  /// Whether `descriptor` is a terminal that follows escape sequences.
  static func isCapable(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 && !isDumb }

  /// A terminal that only prints, such as an editor's.
  private static var isDumb: Bool { ["", "dumb"].contains(variable("TERM")) }

  /// Whether results may be coloured; no-color.org's NO_COLOR turns that off.
  static var showsColours: Bool { isCapable(STDOUT_FILENO) && variable("NO_COLOR").isEmpty }

  /// The columns of the terminal at `descriptor`; nil for a file or a pipe.
  static func columns(_ descriptor: Int32) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Sentences as they are for a file, and for the terminal at `descriptor` with the breaks of long lines between words.
  static func wrapped(_ text: String, _ descriptor: Int32) -> String {
    guard let width = columns(descriptor), width > 20 else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      Columns.count(String(line)) > width
        ? Columns.wrapped(String(line), width: width, indent: 2) : String(line)
    }.joined(separator: "\n")
  }

  /// Text from anywhere, whose control characters show as their pictures and do nothing to a terminal.
  static func printable(_ text: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20 where scalar != "\n" && scalar != "\t":
        shown.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case 0x7F..<0xA0: shown.append("\u{FFFD}")
      default: shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// Runs `body`; keys that are pressed meanwhile wait for whoever reads next, and do not show between what is written.
  static func withoutEcho<Result>(_ body: () throws -> Result) rethrows -> Result {
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return try body() }  // no terminal
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSANOW, &silent)
    defer { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
    return try body()
  }

  private static func variable(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }
}
