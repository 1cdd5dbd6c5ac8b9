import FireflyTensors
import Foundation

/// softmax(scores)·v under the causal mask, window, slopes and sinks included, and its gradient, one element at a time.
struct NaiveAttention {
  /// Sinks one a head, or none.
  var q, k, v, sinks: [Double]
  private(set) var out, logSums, dq, dk, dv, dSinks: [Double]
  private let starts: [Int]
  private let shape: AttentionShape
  private var rows: Int { starts[starts.count - 1] }
  // Columns of q and k, of out and v.
  private var wide: Int { shape.heads * shape.headDim }
  private var narrow: Int { shape.keyValueHeads * shape.headDim }
  private var wideValue: Int { shape.heads * shape.valueDim }
  private var narrowValue: Int { shape.keyValueHeads * shape.valueDim }

  init(_ run: AttentionTests.Run, _ starts: [Int32], _ shape: AttentionShape, gradient: Bool = true) {
    (q, k, v) = (run.q.doubles, run.k.doubles, run.v.doubles)
    sinks = shape.sinks.map { $0.floats.map(Double.init) } ?? []
    self.starts = starts.map(Int.init)
    self.shape = shape
    (out, dq) = ([], [])
    (logSums, dk, dv, dSinks) = ([], [], [], [])
    forward()
    if gradient { backward(run.dout.doubles) }
  }

  mutating func forward() {
    out = [Double](repeating: 0, count: rows * wideValue)
    logSums = [Double](repeating: 0, count: shape.heads * rows)
    for (start, row, head) in indices {
      let scores = scores(start, row, head)
      let all = scores + (sinks.isEmpty ? [] : [sinks[head]])
      let largest = all.max() ?? 0
      let sum = all.reduce(0) { $0 + exp($1 - largest) }
      logSums[head * rows + row] = largest + log(sum)
      for (offset, score) in scores.enumerated() {
        let p = exp(score - largest) / sum
        let value = valueIndex(first(start, row) + offset, head)
        let result = row * wideValue + head * shape.valueDim
        for d in 0..<shape.valueDim { out[result + d] += p * v[value + d] }
      }
    }
  }

  mutating func backward(_ dout: [Double]) {
    dq = [Double](repeating: 0, count: rows * wide)
    dk = [Double](repeating: 0, count: rows * narrow)
    dv = [Double](repeating: 0, count: rows * narrowValue)
    dSinks = [Double](repeating: 0, count: sinks.count)
    for (start, row, head) in indices {
      let query = row * wide + head * shape.headDim
      let result = row * wideValue + head * shape.valueDim
      let scores = scores(start, row, head)
      let p = scores.map { exp($0 - logSums[head * rows + row]) }
      let dp = p.indices.map { offset in
        (0..<shape.valueDim).reduce(0.0) {
          $0 + dout[result + $1] * v[valueIndex(first(start, row) + offset, head) + $1]
        }
      }
      let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
      // A sink's value is 0.
      if !sinks.isEmpty { dSinks[head] -= exp(sinks[head] - logSums[head * rows + row]) * mean }
      for offset in p.indices {
        let key = keyIndex(first(start, row) + offset, head)
        let value = valueIndex(first(start, row) + offset, head)
        let share = shape.cap.map { scores[offset] / Double($0) } ?? 0
        let ds = p[offset] * (dp[offset] - mean) * (1 - share * share) * Double(shape.scale)
        for d in 0..<shape.headDim {
          dq[query + d] += ds * k[key + d]
          dk[key + d] += ds * q[query + d]
        }
        for d in 0..<shape.valueDim { dv[value + d] += p[offset] * dout[result + d] }
      }
    }
  }

  private func keyIndex(_ row: Int, _ head: Int) -> Int {
    row * narrow + head / (shape.heads / shape.keyValueHeads) * shape.headDim
  }

  private func valueIndex(_ row: Int, _ head: Int) -> Int {
    row * narrowValue + head / (shape.heads / shape.keyValueHeads) * shape.valueDim
  }

  /// The first row that `row` sees.
  private func first(_ start: Int, _ row: Int) -> Int { max(start, row - (shape.window ?? rows) + 1) }

  private func scores(_ start: Int, _ row: Int, _ head: Int) -> [Double] {
    let query = row * wide + head * shape.headDim
    let slope = Double(shape.slopes?.floats[head] ?? 0)
    return (first(start, row)...row).map { other in
      let key = keyIndex(other, head)
      var sum = 0.0
      for d in 0..<shape.headDim { sum += q[query + d] * k[key + d] }
      let score = sum * Double(shape.scale) + slope * Double(other - row)
      return shape.cap.map { Double($0) * tanh(score / Double($0)) } ?? score
    }
  }

  private var indices: [(start: Int, row: Int, head: Int)] {
    zip(starts, starts.dropFirst()).flatMap { start, end in
      (start..<end).flatMap { row in (0..<shape.heads).map { (start, row, $0) } }
    }
  }
}
