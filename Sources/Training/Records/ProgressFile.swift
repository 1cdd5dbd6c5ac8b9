import FireflyBase
import Foundation

/// `output_dir/progress.jsonl` and `samples.jsonl`: a line for each log entry, evaluation and sample answer as soon as
/// there is one, for whoever watches a run. A resumed run goes on where its checkpoint stood.
///
/// Numbers that JSON does not have (NaN, infinities) are written as strings.
final class ProgressFile {
  private let progress: AppendedLines
  private let samples: AppendedLines
  /// What was done since the last log entry.
  private var window = (tokens: 0, seconds: 0.0)
  /// What this process has done.
  private var session = (steps: 0, seconds: 0.0)

  /// - Parameter resumedStep: the step a continued run starts at; nil for a fresh one.
  init(folder: String, resumedStep: Int?) throws {
    progress = try AppendedLines("\(folder)/progress.jsonl", keepingUpTo: resumedStep)
    samples = try AppendedLines("\(folder)/samples.jsonl", keepingUpTo: resumedStep)
  }

  func count(_ report: StepReport) {
    window.tokens += report.tokens
    window.seconds += report.seconds
    session.steps += 1
    session.seconds += report.seconds
  }

  /// - Parameter peakMemoryBytes: the most memory held so far; nil where the system does not tell.
  func write(_ entry: LogEntry, totalSteps: Int, peakMemoryBytes: Int?) throws {
    let left = session.seconds / Double(max(1, session.steps)) * Double(totalSteps - entry.step)
    var line: [String: JSONValue] = [
      "step": .int(entry.step), "total_steps": .int(totalSteps), "epoch": number(entry.epoch),
      "loss": number(entry.loss), "grad_norm": number(entry.gradientNorm),
      "learning_rate": number(entry.learningRate),
      "tokens_per_second": window.seconds > 0 ? number(Double(window.tokens) / window.seconds) : .null,
      "seconds": number(session.seconds), "seconds_left": number(left),
      "peak_memory_bytes": peakMemoryBytes.map(JSONValue.int) ?? .null,
    ]
    if let balance = entry.balanceLoss { line["aux_loss"] = number(balance) }
    if let scale = entry.lossScale { line["loss_scale"] = number(scale) }
    if let skipped = entry.skippedSteps { line["skipped_steps"] = .int(skipped) }
    for (name, value) in entry.preference?.scalars ?? [] { line[name] = number(value) }
    try progress.append(line)
    window = (0, 0)
  }

  func write(_ entry: EvaluationEntry, totalSteps: Int) throws {
    let scalars = entry.scalars.map { ($0.key, number($0.value)) }
    try progress.append(
      Dictionary(scalars) { first, _ in first }
        .merging(["step": .int(entry.step), "total_steps": .int(totalSteps)]) { $1 })
  }

  func write(_ answers: [RunSampler.Answer]) throws {
    for answer in answers {
      try samples.append([
        "step": .int(answer.step), "prompt": .string(answer.prompt), "answer": .string(answer.text),
      ])
    }
  }

  /// Says that the run is over.
  func finish(step: Int) throws { try progress.append(["step": .int(step), "finished": .bool(true)]) }

  private func number(_ value: Double) -> JSONValue {
    value.isFinite ? .double(value) : .string(Readable.fixed(value, 0))
  }
}

/// A file of JSON lines with a `step` each.
private final class AppendedLines {
  private let path: String
  private let file: FileHandle

  /// - Parameter keepingUpTo: keeps the lines up to this step; nil keeps none.
  init(_ path: String, keepingUpTo step: Int?) throws {
    self.path = path
    let old = step == nil ? "" : (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let kept = old.split(separator: "\n").filter { line in
      guard let value = try? JSONValue.parse(String(line), source: path), value["finished"] == nil else {
        return false
      }
      return value["step"]?.int ?? .max <= step ?? 0
    }
    try AtomicFile.write(Data(kept.map { $0 + "\n" }.joined().utf8), to: path)
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw FireflyError("cannot write the file: \(String(cString: strerror(errno)))", at: path)
    }
    self.file = file
    file.seekToEndOfFile()
  }

  func append(_ object: [String: JSONValue]) throws {
    do {
      try file.write(contentsOf: Data((JSONValue.object(object).text() + "\n").utf8))
    } catch {
      throw FireflyError("cannot write the file: \(error.localizedDescription)", at: path)
    }
  }

  deinit { try? file.close() }
}
