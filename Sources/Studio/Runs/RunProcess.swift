import FireflyBase
import Foundation

/// A process by its number and when it began, so that another one that gets the number later is not taken for it.
struct RunProcess: Equatable {
  let number: Int32
  /// In the system's ticks.
  let began: Int

  /// nil when no such process runs.
  init?(number: Int32) {
    // "NUMBER (NAME) STATE …": the 20th word from the state on is the time of the beginning.
    guard let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
      let name = stat.lastIndex(of: ")")
    else { return nil }
    let words = stat[name...].dropFirst().split(separator: " ")
    guard words.count > 19, words[0] != "Z", words[0] != "X", let began = Int(words[19]) else { return nil }
    self.number = number
    self.began = began
  }

  /// What `json` was written of, whether it runs or not.
  init?(_ json: JSONValue) {
    guard let number = json["pid"]?.int.flatMap(Int32.init(exactly:)), number > 0,
      let began = json["began"]?.int
    else { return nil }
    self.number = number
    self.began = began
  }

  var json: JSONValue { .object(["pid": .int(Int(number)), "began": .int(began)]) }

  var isRunning: Bool { RunProcess(number: number) == self }

  /// Ctrl-C, as a terminal would send it.
  func interrupt() { kill(number, SIGINT) }

  /// Who writes to a run's folder, from wherever it was started: a run holds its train.log locked.
  static func writing(to folder: String) -> RunProcess? {
    let path = "\(folder)/train.log".resolvedPath
    guard let number = (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? Int,
      let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
    else { return nil }
    for line in locks.split(separator: "\n") {
      // "1: FLOCK ADVISORY WRITE PROCESS MAJOR:MINOR:FILE 0 EOF"
      let words = line.split(separator: " ")
      guard words.count > 5, words[1] == "FLOCK", words[5].split(separator: ":").last == "\(number)",
        let process = Int32(words[4]), hasOpen(path, process)
      else { continue }
      return RunProcess(number: process)
    }
    return nil
  }

  /// Numbers of files are unique on one device only.
  private static func hasOpen(_ path: String, _ process: Int32) -> Bool {
    let folder = "/proc/\(process)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == path
    }
  }
}
