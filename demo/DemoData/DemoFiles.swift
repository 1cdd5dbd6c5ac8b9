import FireflyBase
import Foundation

/// The demo's files in the original's row format.
package enum DemoFiles {
  /// Problems that pairs are made of.
  private static let pairCount = 1000

  /// Writes `train.jsonl` (the problems and the hand-written conversations, mixed), `test.jsonl`, and `pairs.jsonl` (right
  /// and wrong solutions of training problems, for DPO) into `folder`.
  ///
  /// - Throws: `FireflyError` when the conversations cannot be read or the folder cannot be written.
  package static func write(to folder: String, conversations: String, seed: UInt64) throws {
    let problems = ProblemSet(seed: seed)
    var training = problems.training.map { row(of: $0) }
    for (index, line) in try lines(of: conversations).enumerated() {
      guard var row = try JSONValue.parse(line, source: "\(conversations):\(index + 1)").object,
        row["conversation"] != nil
      else {
        throw FireflyError(
          "the row has no conversation", at: "\(conversations):\(index + 1)",
          expected: "{\"conversation\": […]}")
      }
      row["dataset"] = .string("firefly-demo")
      training.append(row)
    }
    var random = SeededRandom(seed: seed ^ 0xDEA1)
    random.shuffle(&training)
    try AtomicFile.makeFolder(folder)
    try write(training, to: folder + "/train.jsonl")
    try write(problems.heldOut.map { row(of: $0) }, to: folder + "/test.jsonl")
    try write(problems.training.prefix(pairCount).map(pair), to: folder + "/pairs.jsonl")
  }

  private static func row(of problem: Problem) -> [String: JSONValue] {
    [
      "category": .string("math: \(problem.family)"), "dataset": .string("firefly-demo"),
      "conversation": .array([
        .object(["human": .string(problem.question), "assistant": .string(problem.solution)])
      ]),
    ]
  }

  private static func pair(of problem: Problem) -> [String: JSONValue] {
    [
      "prompt": .string(problem.question), "chosen": .string(problem.solution),
      "rejected": .string(problem.mistakenSolution),
    ]
  }

  private static func lines(of path: String) throws -> [String] {
    let file = try MappedFile(path)
    guard let text = String(validating: file.bytes, as: UTF8.self) else {
      throw FireflyError("the file is not valid UTF-8", at: path)
    }
    return text.split(separator: "\n").map(String.init)
  }

  private static func write(_ rows: [[String: JSONValue]], to path: String) throws {
    let lines = rows.enumerated().map { index, row in
      JSONValue.object(row.merging(["conversation_id": .int(index + 1)]) { $1 }).text() + "\n"
    }
    try AtomicFile.write(Data(lines.joined().utf8), to: path)
  }
}
