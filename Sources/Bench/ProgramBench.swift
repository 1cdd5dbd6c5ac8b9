import FireflyBase
import FireflyPretrained
import FireflyText
import Foundation

/// Start-up and tokenisation with a real model's files.
package struct ProgramBench: Sendable {
  /// Seconds from the start of `firefly generate` to its first token and end.
  package let firstTokenSeconds: Double
  package let tokenizerLoadSeconds: Double
  /// How fast one thread tokenises Chinese and English text.
  package let tokensPerSecond: (chinese: Double, english: Double)

  /// - Parameters:
  ///   - program: the `firefly` executable.
  ///   - model: a folder or a .gguf file.
  /// - Throws: `FireflyError` when the model cannot be used.
  package init(program: String, model: String) throws {
    firstTokenSeconds = Stopwatch.middle(
      try (0..<3).map { _ in try Stopwatch.time { try ProgramBench.generateOne(program, model) } })
    var tokenizer: (any Tokenizer)?
    tokenizerLoadSeconds = try Stopwatch.time { tokenizer = try Pretrained.tokenizer(at: model) }
    guard let tokenizer else { preconditionFailure("a tokenizer was loaded") }
    tokensPerSecond = (
      try ProgramBench.rate(tokenizer, ProgramBench.chinese),
      try ProgramBench.rate(tokenizer, ProgramBench.english)
    )
  }

  private static func generateOne(_ program: String, _ model: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["generate", model, "--prompt", "Hello", "--max-new-tokens", "1"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw FireflyError("cannot start the program: \(error.localizedDescription)", at: program)
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FireflyError(
        "generating one token failed", at: model, found: "exit status \(process.terminationStatus)",
        fix: "Run: firefly generate \(model) --prompt Hello --max-new-tokens 1")
    }
  }

  private static func rate(_ tokenizer: any Tokenizer, _ paragraph: String) throws -> Double {
    // Numbers differ from line to line, so that nothing is answered from memory alone.
    let lines = (0..<2000).map { "\($0 * 7919) " + paragraph }
    var tokens = 0
    let seconds = try Stopwatch.time {
      for line in lines { tokens += try tokenizer.encode(line, parseSpecial: false).count }
    }
    return Double(tokens) / seconds
  }

  private static let chinese =
    "春天来了，山坡上的杏花一夜之间全开了。孩子们放学以后跑到河边，把写着愿望的纸船放进水里，看它们慢慢漂向远处的桥洞。"
    + "老人说，河水会把愿望带到很远的地方；第二年若有人在下游捡到纸船，就会替你把愿望实现。"
  private static let english =
    "The ferry left the harbour before sunrise, carrying letters, two crates of oranges and a clock that nobody had "
    + "managed to repair. By noon the wind had turned; the captain, who didn't trust the forecast, steered for the "
    + "smaller of the two islands and waited there until the lights came on across the strait."
}
