import CTiles
import FireflyBase

// The thin products of several low-rank pairs' backward. Each is so little work that waiting for its last task would take longer
// than much of it: those of all pairs are tasks beside each other.
extension TileProducts {
  /// Whether dB of the step is made as its transpose, from the thin operand's: see `matmul`.
  static func turns(_ step: LowRankStep) -> Bool {
    suits(min(step.rank, step.dy.rows)) && isTurned(step.dB.rows, step.dB.columns)
  }

  /// dB += dyᵀ·low and dLow = scale·dy·B of each step that `turns`, with the bits of one product after the other.
  func lowRankGradients(_ steps: [LowRankStep]) {
    let turned = transposed(steps.map(\.low))
    let tasks = steps.indices.flatMap { LowRankTask.of($0, steps[$0]) }.sorted { $0.flop > $1.flop }
    Parallel.run(tasks.count) { index in
      let task = tasks[index]
      let step = steps[task.step]
      switch task.part {
      case .outputs(let outputs): addBGradient(step, turned[task.step], outputs)
      case .rows(let rows): lowGradient(step, rows)
      }
    }
  }

  private func addBGradient(_ step: LowRankStep, _ turnedLow: Matrix, _ outputs: Range<Int>) {
    let sums = Tensor([step.rank, outputs.count], .float32).matrix
    multiply(sums, [Term(turnedLow, step.dy.columns(outputs), transposed: false)])
    table.pointee.add_transposed(
      step.dB.output(from: outputs.lowerBound), sums.input(), 1, step.rank, outputs.count)
  }

  private func lowGradient(_ step: LowRankStep, _ rows: Range<Int>) {
    let terms = [Term(step.dy.rows(rows), step.b, transposed: false)]
    let out = step.dLow.rows(rows)
    if step.scale == 1 { return multiply(out, terms) }
    let sums = Tensor([rows.count, step.rank], .float32).matrix
    multiply(sums, terms)
    CPU.shared.scale(sums, by: step.scale)
    CPU.shared.convert(out, sums)
  }
}

/// Some of the outputs of a step's dB, or some rows of its dLow.
private struct LowRankTask {
  enum Part {
    case outputs(Range<Int>)
    case rows(Range<Int>)
  }

  let step: Int
  let part: Part
  let flop: Int

  /// Results depend on neither cut, so the number of threads may count: each task packs an operand for itself.
  static func of(_ index: Int, _ step: LowRankStep) -> [LowRankTask] {
    let (rows, outputs) = (step.dy.rows, step.dy.columns)
    let panels = Split(outputs, parts: (outputs + 191) / 192)
    let most = (rows + 255) / 256
    let least = (rows + TileProducts.blockRows - 1) / TileProducts.blockRows
    let blocks = Split(rows, parts: max(least, min(most, Parallel.threads)))
    return (0..<panels.parts).map {
      LowRankTask(step: index, part: .outputs(panels[$0]), flop: panels[$0].count * rows * step.rank)
    }
      + (0..<blocks.parts).map {
        LowRankTask(step: index, part: .rows(blocks[$0]), flop: blocks[$0].count * outputs * step.rank)
      }
  }
}
