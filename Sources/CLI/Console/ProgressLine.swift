import FireflyBase

/// One line of progress that redraws itself on a terminal, and is silent otherwise.
final class ProgressLine {
  private let title: String
  private var shown = -1
  /// When the first share was told, and which.
  private var start: (time: ContinuousClock.Instant, share: Double)?

  init(_ title: String) { self.title = title }

  /// - Parameter share: 0…1.
  func update(_ share: Double) {
    let percent = Int(share * 100)
    guard Messages.isTerminal, percent != shown else { return }
    shown = percent
    let cells = Int(share * 20)
    let bar = String(repeating: "#", count: cells) + String(repeating: ".", count: max(0, 20 - cells))
    Messages.progress("[\(bar)] \(percent) %  \(title)\(timeLeft(share))")
  }

  private func timeLeft(_ share: Double) -> String {
    guard let start else {
      self.start = (.now, share)
      return ""
    }
    let done = share - start.share
    guard done > 0, share < 1 else { return "" }
    let seconds = (ContinuousClock.now - start.time).seconds * (1 - share) / done
    return ", \(Readable.duration(seconds)) left"
  }

  func clear() {
    if shown >= 0 { Messages.clearProgress() }
    shown = -1
  }
}
