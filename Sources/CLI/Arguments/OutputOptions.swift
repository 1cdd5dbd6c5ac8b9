import FireflyBase
import FireflyWeights
import Foundation

/// What the verbs that write a model share.
package enum OutputOptions {
  static let folder = Positional("OUT", "The folder to write; it must not exist yet, or be empty.")
  static let overwrite = Flag(
    "--overwrite", "Replaces an older OUT, a model's folder, when the new one is whole."
  )
  static let shardSize = Option.text(
    "--shard-size", "SIZE", "The most bytes of a weights file: a number with MB or GB (default: 5GB).")
  static let declarations = [shardSize.declaration, overwrite.declaration]

  /// Bytes of a shard, in decimal units as transformers' `max_shard_size`.
  static func shardLimit(_ arguments: Arguments) throws -> Int {
    try arguments[shardSize] == nil ? 5_000_000_000 : byteCount(shardSize, arguments)
  }

  /// The bytes that an option, which is given, says in decimal units.
  static func byteCount(_ option: Option<String>, _ arguments: Arguments) throws -> Int {
    let text = arguments[option] ?? ""
    let units = ["KB": 1e3, "MB": 1e6, "GB": 1e9]
    let unit = units.first { text.uppercased().hasSuffix($0.key) }
    let number = Double(unit == nil ? text : String(text.dropLast(2)))
    guard let bytes = number.map({ $0 * (unit?.value ?? 1) }), bytes >= 1, bytes < 1e18 else {
      throw UsageError(
        "\(option.declaration.name): expected a size such as 5GB or 500MB, found '\(text)'",
        verb: arguments.verb)
    }
    return Int(bytes)
  }

  /// Runs `body` with its progress on a line. Ctrl-C, SIGTERM and a lost terminal end it; nothing is left of what it was
  /// writing.
  package static func converting(
    _ title: String, _ body: (@escaping (Double) throws -> Void) throws -> Void
  ) throws {
    let progress = ProgressLine(title)
    defer { progress.clear() }
    try Signals.watched([SIGINT, SIGTERM, SIGHUP]) { isCaught in
      try body { share in
        if isCaught() { throw FireflyError("interrupted: nothing was written") }
        progress.update(share)
      }
    }
  }

  /// Prints what was written and how large it is.
  static func report(_ path: String) throws {
    let output = Output()
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    let files = [path] + names.map { "\(path)/\($0)" }
    let bytes = files.reduce(0) { sum, file in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      return sum + (attributes?[.size] as? Int ?? 0)
    }
    try output.line("\(path): \((Double(bytes) / 100_000).rounded() / 10) MB")
    try output.flush()
  }
}
