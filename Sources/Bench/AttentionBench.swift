import FireflyBase
import FireflyTensors

/// Causal attention of one head over one row in bfloat16, forward and backward, on one thread: what longer rows cost.
package struct AttentionBench: Sendable {
  package struct Case: Sendable {
    package let length: Int
    /// Size of the head.
    package let headDim: Int
    /// Keys that a query sees at most.
    package var window: Int?

    package init(length: Int, headDim: Int, window: Int? = nil) {
      self.length = length
      self.headDim = headDim
      self.window = window
    }
  }

  /// Rows from a sentence to a book, for heads of 64 and of 128.
  package static let cases = [64, 128].flatMap { headDim in
    [128, 1024, 8192, 32768].map { Case(length: $0, headDim: headDim) }
      + [Case(length: 8192, headDim: headDim, window: 1024)]
  }

  package let of: Case
  /// FLOP/s, counting the pairs of query and key that see each other.
  package let forward, backward: Double
  /// FLOP/s of large products on one thread.
  package let matrixRate: Double

  /// The best of some runs: a few milliseconds are easily disturbed.
  package init(_ of: Case, limits: MachineLimits, on device: any Device) {
    let shape = AttentionShape(
      heads: 1, keyValueHeads: 1, headDim: of.headDim, scale: 1 / Float(of.headDim).squareRoot(),
      window: of.window)
    let starts = [0, Int32(of.length)]
    let random = { Tensor.random([of.length, of.headDim], .bfloat16, seed: $0).on(device).matrix }
    let room = { Tensor([of.length, of.headDim], .bfloat16, on: device).matrix }
    let (q, k, v, dout) = (random(1), random(2), random(3), random(4))
    let (out, dq, dk, dv) = (room(), room(), room(), room())
    let logSums = Tensor([1, of.length], .float32, on: device)
    let pairs = AttentionShape.pairs(of.length, window: of.window)
    let runs = Int(min(max(1e9 / pairs / Double(of.headDim), 2), 200))
    let threads = Parallel.threads
    Parallel.threads = 1
    defer { Parallel.threads = threads }
    /// - Parameter products: along keys or values, each of 2 FLOP a pair and element.
    func rate(products: Double, _ body: () -> Void) -> Double {
      body()
      let best = (0..<runs).map { _ in device.time(body) }.min() ?? .infinity
      return 2 * products * pairs * Double(of.headDim) / best
    }
    forward = rate(products: 2) {
      Ops.attention(out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
    }
    backward = rate(products: 5) {
      Ops.attentionGradient(
        dq: dq, dk: dk, dv: dv, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v, starts: starts,
        shape: shape)
    }
    self.of = of
    matrixRate = limits.bfloat16Rate.one
  }

  // MARK: - Report

  package static func lines(_ benches: [AttentionBench]) -> [String] {
    ["attention of one head, one thread: GFLOP/s forward and backward, and their shares of the matrix rate"]
      + benches.map { bench in
        let window = bench.of.window.map { ", window \($0)" } ?? ""
        let name = "\(bench.of.length) tokens, head of \(bench.of.headDim)\(window)"
        return "  \(Columns.left(name, 38))"
          + [bench.forward, bench.backward].map { rate in
            Columns.right(Readable.fixed(rate / 1e9, 1), 8)
              + Columns.right(Readable.fixed(100 * rate / bench.matrixRate, 0), 5) + " %"
          }.joined()
      }
  }

  package var json: JSONValue {
    .object([
      "length": .int(of.length), "head_dim": .int(of.headDim),
      "window": of.window.map { .int($0) } ?? .null, "forward_flops": .double(forward),
      "backward_flops": .double(backward), "matrix_rate": .double(matrixRate),
    ])
  }
}
