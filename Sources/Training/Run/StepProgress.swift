import FireflyBase

/// How far a run is and how fast it goes, as one line of text.
package struct StepProgress {
  private let totalSteps: Int
  private let firstStep: Int
  private var step: Int
  private var last: StepReport?
  private var seconds = 0.0
  /// The loss, smoothed over about ten steps.
  private var loss: Double?
  private var tokensPerSecond: Double?

  /// - Parameter step: completed steps at the start.
  package init(totalSteps: Int, from step: Int) {
    self.totalSteps = totalSteps
    self.step = step
    firstStep = step
  }

  package mutating func add(_ report: StepReport) {
    step = report.step
    last = report
    seconds += report.seconds
    loss = StepProgress.smooth(loss, report.loss)
    if report.seconds > 0 {
      tokensPerSecond = StepProgress.smooth(tokensPerSecond, Double(report.tokens) / report.seconds)
    }
  }

  private static func smooth(_ before: Double?, _ now: Double) -> Double {
    before.map { 0.9 * $0 + 0.1 * now } ?? now
  }

  /// Speed and time left: `812 tokens/s  3 min 05 s left`.
  package var pace: String {
    guard let tokensPerSecond else { return "" }
    let each = seconds / Double(max(1, step - firstStep))
    let left = Readable.duration(each * Double(totalSteps - step))
    return "\(Readable.fixed(tokensPerSecond, tokensPerSecond < 100 ? 1 : 0)) tokens/s  \(left) left"
  }

  /// - Parameters:
  ///   - microBatch: done in the step under way.
  ///   - width: columns of the terminal.
  package func line(microBatch: Int = 0, of count: Int = 1, width: Int) -> String {
    let done = (Double(step) + Double(microBatch) / Double(max(1, count))) / Double(max(1, totalSteps))
    var text = "step \(step)/\(totalSteps)"
    if let last, let loss {
      text += "  loss \(Readable.fixed(loss, 4))  lr \(Readable.scientific(last.learningRate))  \(pace)"
    }
    let space = width - text.count - 4
    guard let room = [30, 20, 10].first(where: { $0 <= space }) else {
      return String(text.prefix(max(0, width - 1)))
    }
    let full = min(room, Int(done * Double(room)))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "] "
      + text
  }
}
