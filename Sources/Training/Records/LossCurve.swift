import FireflyBase
import Foundation

/// The losses of a run as a self-contained SVG that a browser shows: axes, every step's loss (or the mean
/// of a few, when there are more than the width has room for), and a smoothed line. Below it, in preference training, the
/// rewards.
package struct LossCurve {
  let title: String
  /// Optimizer step and loss (nats per target token, in preference training the mean over pairs); values that are not finite are left out.
  let points: [(step: Int, loss: Double)]

  /// What preference training logged; empty in any other.
  let rewards: [(step: Int, metrics: PreferenceMetrics)]

  /// - Parameter losses: one for each step, from step 1.
  package init(title: String, losses: [Double], rewards: [(step: Int, metrics: PreferenceMetrics)] = []) {
    self.title = title
    self.rewards = rewards
    points = losses.enumerated().filter { $0.element.isFinite }.map {
      (step: $0.offset + 1, loss: $0.element)
    }
  }

  package func write(to path: String) throws {
    try AtomicFile.write(Data(svg().utf8), to: path)
  }

  private static let width = 900.0
  private static let height = 480.0
  private static let plot = Frame(left: 70, right: 880, top: 56, bottom: 420)
  private static let rewardPlot = Frame(left: 70, right: 880, top: 516, bottom: 716)
  private static let mostPoints = 800

  package func svg() -> String {
    var body = LossCurve.text(title, x: LossCurve.plot.left, y: 26, size: 16, anchor: "start")
    if points.isEmpty {
      body += LossCurve.text("no steps yet", x: LossCurve.width / 2, y: LossCurve.height / 2, size: 14)
    } else {
      body += drawing() + rewardDrawing()
    }
    let height = LossCurve.height + (rewards.isEmpty ? 0 : 296)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(LossCurve.width)) \(Int(height))" \
      font-family="sans-serif" role="img">
      <title>\(LossCurve.escaped(title))</title>
      <rect width="100%" height="100%" fill="white"/>
      \(body)</svg>

      """
  }

  private func drawing() -> String {
    let shown = binned()
    let smooth = smoothed(shown)
    let steps = Axis(low: 0, high: Double(points.last?.step ?? 1), target: 8, finest: 1)
    let values = shown.map(\.loss) + smooth.map(\.loss)
    let losses = Axis(low: values.min() ?? 0, high: values.max() ?? 1, target: 6)
    let place = { (point: (step: Double, loss: Double)) in
      LossCurve.plot.place(steps.fraction(point.step), losses.fraction(point.loss))
    }
    let unit = rewards.isEmpty ? "nats per target token" : "mean over pairs"
    return LossCurve.axes(LossCurve.plot, steps, losses, "loss (\(unit))")
      + LossCurve.line(shown.map(place), color: "#9db8d9", width: 1)
      + LossCurve.line(smooth.map(place), color: "#c2410c", width: 2.5)
      + legend(last: smooth.last?.loss ?? 0)
  }

  private static let rewardLines:
    [(name: String, color: String, value: @Sendable (PreferenceMetrics) -> Double)] = [
      ("chosen", "#15803d", { $0.chosenReward }), ("rejected", "#b91c1c", { $0.rejectedReward }),
      ("margin", "#1d4ed8", { $0.margin }),
    ]

  /// The rewards of the chosen and the rejected answers and their margin, at every log entry.
  private func rewardDrawing() -> String {
    let values = rewards.flatMap { entry in LossCurve.rewardLines.map { $0.value(entry.metrics) } }
      .filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return "" }
    let frame = LossCurve.rewardPlot
    let steps = Axis(low: 0, high: Double(points.last?.step ?? 1), target: 8, finest: 1)
    let axis = Axis(low: min(0, low), high: max(0, high), target: 5)
    var out = LossCurve.axes(frame, steps, axis, "reward")
    for (index, line) in LossCurve.rewardLines.enumerated() {
      let places = rewards.map { (step: Double($0.step), value: line.value($0.metrics)) }
        .filter { $0.value.isFinite }
        .map { frame.place(steps.fraction($0.step), axis.fraction($0.value)) }
      let x = frame.right - 420 + 140 * Double(index)
      let last = rewards.last.map { line.value($0.metrics) } ?? .nan
      out += LossCurve.line(places, color: line.color, width: 2)
      out += LossCurve.line([(x, frame.top - 14), (x + 25, frame.top - 14)], color: line.color, width: 2)
      out += LossCurve.text(
        "\(line.name) \(Readable.fixed(last, 2))", x: x + 30, y: frame.top - 10, size: 12, anchor: "start")
    }
    return out
  }

  private static func axes(_ plot: Frame, _ steps: Axis, _ losses: Axis, _ name: String) -> String {
    var out = ""
    for tick in losses.ticks {
      let y = plot.place(0, losses.fraction(tick)).y
      out += "<path d=\"M\(plot.left) \(LossCurve.round(y))H\(plot.right)\" stroke=\"#e5e7eb\"/>\n"
      out += LossCurve.text(losses.label(tick), x: plot.left - 8, y: y + 4, size: 12, anchor: "end")
    }
    for tick in steps.ticks {
      let x = plot.place(steps.fraction(tick), 0).x
      out += "<path d=\"M\(LossCurve.round(x)) \(plot.bottom)v5\" stroke=\"#374151\"/>\n"
      out += LossCurve.text(steps.label(tick), x: x, y: plot.bottom + 20, size: 12)
    }
    out +=
      "<path d=\"M\(plot.left) \(plot.top)V\(plot.bottom)H\(plot.right)\" fill=\"none\" stroke=\"#374151\"/>\n"
    out += LossCurve.text("optimizer step", x: (plot.left + plot.right) / 2, y: plot.bottom + 42, size: 13)
    let middle = LossCurve.round((plot.top + plot.bottom) / 2)
    out += "<text transform=\"translate(18 \(middle)) rotate(-90)\" text-anchor=\"middle\" font-size=\"13\">"
    return out + "\(name)</text>\n"
  }

  private func legend(last: Double) -> String {
    let right = LossCurve.plot.right
    let each = points.count > LossCurve.mostPoints ? "mean of \(binSize) steps" : "each step"
    return LossCurve.line([(right - 330, 42), (right - 305, 42)], color: "#9db8d9", width: 1)
      + LossCurve.text(each, x: right - 298, y: 46, size: 12, anchor: "start")
      + LossCurve.line([(right - 190, 42), (right - 165, 42)], color: "#c2410c", width: 2.5)
      + LossCurve.text(
        "smoothed, now \(Readable.fixed(last, 3))", x: right - 158, y: 46, size: 12, anchor: "start")
  }

  // MARK: - The two lines

  private var binSize: Int { (points.count + LossCurve.mostPoints - 1) / LossCurve.mostPoints }

  private func binned() -> [(step: Double, loss: Double)] {
    stride(from: 0, to: points.count, by: binSize).map { start in
      let bin = points[start..<min(start + binSize, points.count)]
      return (
        step: Double(bin.reduce(0) { $0 + $1.step }) / Double(bin.count),
        loss: bin.reduce(0) { $0 + $1.loss } / Double(bin.count)
      )
    }
  }

  /// The exponential moving average, corrected for its start; it looks back over about a twentieth of the run.
  private func smoothed(_ line: [(step: Double, loss: Double)]) -> [(step: Double, loss: Double)] {
    let keep = 1 - 1 / max(1, Double(line.count) / 20)
    var sum = 0.0
    var weight = 0.0
    return line.map { point in
      sum = keep * sum + (1 - keep) * point.loss
      weight = keep * weight + (1 - keep)
      return (step: point.step, loss: sum / weight)
    }
  }

  // MARK: - SVG

  private static func round(_ value: Double) -> String { Readable.fixed(value, 1) }

  private static func line(_ places: [(x: Double, y: Double)], color: String, width: Double) -> String {
    let points = places.map { "\(round($0.x)),\(round($0.y))" }.joined(separator: " ")
    return "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(width)\" "
      + "stroke-linejoin=\"round\"/>\n"
  }

  private static func text(
    _ text: String, x: Double, y: Double, size: Int, anchor: String = "middle"
  ) -> String {
    "<text x=\"\(round(x))\" y=\"\(round(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" "
      + "fill=\"#111827\">\(escaped(text))</text>\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}

/// Where a curve is drawn.
private struct Frame {
  let left, right, top, bottom: Double

  /// - Parameters: the shares of the width and of the height, which is counted from below.
  func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (left + x * (right - left), bottom - y * (bottom - top))
  }
}

/// A range rounded outwards to ticks of 1, 2 or 5 times a power of ten.
private struct Axis {
  let ticks: [Double]
  private let step: Double

  /// - Parameter finest: the least distance of two ticks.
  init(low: Double, high: Double, target: Int, finest: Double = 0) {
    let span = max(high - low, max(abs(high), 1e-3) * 1e-3)
    let raw = max(span / Double(target), finest)
    let power = pow(10, floor(log10(raw)))
    step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? 10 * power
    let first = (low / step).rounded(.down)
    let last = max((high / step).rounded(.up), first + 1)
    let step = step
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
  }

  func fraction(_ value: Double) -> Double {
    guard let first = ticks.first, let last = ticks.last else { return 0 }
    return (value - first) / (last - first)
  }

  func label(_ tick: Double) -> String {
    Readable.fixed(tick, max(0, Int((-log10(step)).rounded(.up))))
  }
}
