import CSilicon
import FireflyBase
import FireflyTensors

/// One of the processor's units, kept busy by a loop of its own instruction: no program does more.
package struct SiliconUnit: Sendable {
  package enum Operands: Int, Sendable { case float32, bfloat16, int8 }

  /// The instruction, as its maker writes it.
  package let instruction: String
  package let operands: Operands
  private let index: Int
  /// Rounds of the loop that take about a quarter of a millisecond.
  private let rounds: Int

  /// Those of this processor; of two for the same operands the later is the faster.
  package static let all: [SiliconUnit] = (0...).lazy.map { ($0, silicon_loop_at($0)) }
    .prefix { $0.1 != nil }.compactMap { index, loop in loop.map { SiliconUnit(index, $0.pointee) } }

  /// The fastest for these operands; nil where no loop is known.
  package static func fastest(_ operands: Operands) -> SiliconUnit? {
    all.last { $0.operands == operands }
  }

  private init(_ index: Int, _ loop: silicon_loop) {
    self.index = index
    instruction = String(cString: loop.name)
    operands = Operands(rawValue: Int(loop.type)) ?? .float32
    let few = 1000
    loop.run(few)
    let seconds = Stopwatch.time { loop.run(few) }
    rounds = max(few, Int(Double(few) * 250e-6 / max(seconds, 1e-9)))
  }

  /// Operations a second by all threads together, in the best of some milliseconds: a multiplication counts, and an addition.
  package func rate() -> Double {
    guard let loop = silicon_loop_at(index)?.pointee else { preconditionFailure("a loop that is gone") }
    let threads = Parallel.threads
    let seconds = (0..<12).map { _ in
      Stopwatch.time { Parallel.run(threads) { _ in loop.run(rounds) } }
    }
    return loop.operations * Double(rounds * threads) / (seconds.min() ?? .infinity)
  }
}

extension SiliconUnit {
  /// The unit that products of this type could use.
  static func fastest(for compute: DType) -> SiliconUnit? {
    (compute == .bfloat16 ? fastest(.bfloat16) : nil) ?? fastest(.float32)
  }
}
