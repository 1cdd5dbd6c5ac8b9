import FireflyBase
import Foundation

/// `output_dir/train.log`: what happened when, a line each; a resumed run appends. Locked as long as it lives, so
/// that two runs cannot share a folder.
package final class RunLog {
  private let path: String
  private let descriptor: Int32

  /// - Parameter appending: keeps what is there.
  package init(_ path: String, appending: Bool) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw FireflyError("cannot write the log: \(String(cString: strerror(errno)))", at: path)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw FireflyError(
        "another run is writing to this folder", at: path,
        fix: "Wait for its end, or choose another output_dir."
      )
    }
    if !appending { ftruncate(descriptor, 0) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Appends `text` with the local time before it.
  package func line(_ text: String) throws {
    let line = "\(RunLog.timestamp(Date()))  \(text)\n"
    if let failure = writeAll(Array(line.utf8), to: descriptor) {
      throw FireflyError("cannot write the log: \(String(cString: strerror(failure)))", at: path)
    }
  }

  /// `2026-11-24 08:06:15`, local time.
  static func timestamp(_ date: Date) -> String {
    var seconds = time_t(date.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}
