import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Attention against the textbook sums in Double, and those against finite differences.
struct AttentionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let heads, keyValueHeads, headDim: Int
    let lengths: [Int]
    var window: Int?
    var hasSlopes = false
    var testDescription: String {
      "\(heads)/\(keyValueHeads) heads of \(headDim), lengths \(lengths), window \(window ?? 0)"
        + (hasSlopes ? ", ALiBi" : "")
    }
    var shape: AttentionShape {
      AttentionShape(
        heads: heads, keyValueHeads: keyValueHeads, headDim: headDim, scale: 1 / Float(headDim).squareRoot(),
        window: window,
        slopes: hasSlopes ? Tensor((0..<heads).map { exp2(-Float($0) - 1) }, [heads]) : nil)
    }
    var starts: [Int32] { lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) } }
    var rows: Int { lengths.reduce(0, +) }
  }

  static let cases = [
    Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1, 5, 130, 1, 1, 64, 17]),
    Case(heads: 2, keyValueHeads: 2, headDim: 64, lengths: [150]),
    Case(heads: 3, keyValueHeads: 1, headDim: 80, lengths: [129, 0, 40]),
    Case(heads: 1, keyValueHeads: 1, headDim: 128, lengths: [100, 128]),
    Case(heads: 1, keyValueHeads: 1, headDim: 8, lengths: [700]),
    // Windows of one key, below a block, of a block, and above the blocks of the forward and the gradient.
    Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1, 5, 130, 1, 300], window: 1),
    Case(heads: 4, keyValueHeads: 2, headDim: 16, lengths: [300, 7, 140], window: 50),
    Case(heads: 2, keyValueHeads: 1, headDim: 16, lengths: [400, 2], window: 128),
    Case(heads: 1, keyValueHeads: 1, headDim: 8, lengths: [650], window: 520),
    Case(heads: 2, keyValueHeads: 2, headDim: 16, lengths: [100, 40], window: 1000),
    Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1, 5, 300, 64], hasSlopes: true),
    Case(heads: 4, keyValueHeads: 1, headDim: 16, lengths: [300, 9], window: 70, hasSlopes: true),
  ]

  /// q, k and v as column ranges of one buffer, dout, and room for all results in another.
  struct Run {
    let q, k, v, dout, out, dq, dk, dv: Matrix
    let logSums: Tensor

    init(_ shape: AttentionShape, rows: Int, _ dtype: DType, seed: UInt64) {
      var random = TestRandom(seed: seed)
      let (wide, narrow) = (shape.heads * shape.headDim, shape.keyValueHeads * shape.headDim)
      let input = random.matrix((rows, wide + 2 * narrow), dtype, margin: 8, scale: 2)
      let gradient = random.matrix((rows, wide + 2 * narrow), dtype, margin: 8)
      (q, k, v) = Run.split(input, wide, narrow)
      (dq, dk, dv) = Run.split(gradient, wide, narrow)
      dout = random.matrix((rows, wide), dtype, margin: 5)
      out = random.matrix((rows, wide), dtype)
      logSums = Tensor([shape.heads, rows], .float32)
    }

    static func split(_ whole: Matrix, _ wide: Int, _ narrow: Int) -> (Matrix, Matrix, Matrix) {
      (
        whole.columns(0..<wide), whole.columns(wide..<wide + narrow),
        whole.columns(wide + narrow..<wide + 2 * narrow)
      )
    }

    /// The same rows of every matrix.
    init(_ whole: Run, rows: Range<Int>) {
      (q, k, v) = (whole.q.rows(rows), whole.k.rows(rows), whole.v.rows(rows))
      dout = whole.dout.rows(rows)
      let like = { (m: Matrix) in Tensor([rows.count, m.columns], m.dtype).matrix }
      (out, dq, dk, dv) = (like(whole.out), like(whole.dq), like(whole.dk), like(whole.dv))
      logSums = Tensor([whole.logSums.shape[0], rows.count], .float32)
    }

    func compute(_ starts: [Int32], _ shape: AttentionShape) {
      Ops.attention(out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
      Ops.attentionGradient(
        dq: dq, dk: dk, dv: dv, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v, starts: starts,
        shape: shape)
    }

    var results: [[Double]] { [out.doubles, dq.doubles, dk.doubles, dv.doubles] }
  }

  @Test(arguments: cases, [DType.float32, .bfloat16])
  func agreesWithNaiveSums(_ example: Case, dtype: DType) {
    let run = Run(example.shape, rows: example.rows, dtype, seed: 8)
    run.compute(example.starts, example.shape)
    let naive = NaiveAttention(run, example.starts, example.shape)
    let logSums = run.logSums.floats.map(Double.init)
    assertClose(logSums, naive.logSums, Tolerance(absolute: 4e-6), "log sums")
    // float32: a few units in the last place of the largest value; bfloat16: probabilities and their gradients are
    // rounded to 8 bits, as the results are.
    let unit = dtype == .bfloat16 ? 0x1p-7 : 4e-6
    for (name, actual, expected) in [
      ("out", run.out, naive.out), ("dq", run.dq, naive.dq), ("dk", run.dk, naive.dk),
      ("dv", run.dv, naive.dv),
    ] {
      let largest = max(expected.map(abs).max() ?? 0, 1)  // with one key, dq and dk are 0
      assertClose(actual.doubles, expected, Tolerance(absolute: Float(unit * largest)), "\(name) \(dtype)")
    }
  }

  @Test(arguments: [
    Case(heads: 4, keyValueHeads: 2, headDim: 8, lengths: [1, 6, 3]),
    Case(heads: 2, keyValueHeads: 1, headDim: 8, lengths: [7, 2], window: 3, hasSlopes: true),
  ])
  func theReferenceGradientIsThatOfFiniteDifferences(_ example: Case) {
    let run = Run(example.shape, rows: example.rows, .float32, seed: 9)
    let naive = NaiveAttention(run, example.starts, example.shape)
    let dout = run.dout.doubles
    let loss = { (reference: NaiveAttention) in zip(reference.out, dout).reduce(0) { $0 + $1.0 * $1.1 } }
    let step = 1e-5
    for (name, input, gradient) in [
      ("dq", \NaiveAttention.q, naive.dq), ("dk", \NaiveAttention.k, naive.dk),
      ("dv", \NaiveAttention.v, naive.dv),
    ] {
      var differences: [Double] = []
      for index in gradient.indices {
        var (above, below) = (naive, naive)
        above[keyPath: input][index] += step
        below[keyPath: input][index] -= step
        above.forward()
        below.forward()
        differences.append((loss(above) - loss(below)) / (2 * step))
      }
      assertClose(gradient, differences, Tolerance(relative: 1e-7, absolute: 1e-8), name)
    }
  }

  @Test(
    arguments: [DType.float32, .bfloat16],
    [
      Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [3, 300, 1, 140]),
      Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [3, 300, 1, 140], window: 40, hasSlopes: true),
    ])
  func aSequenceDoesNotDependOnItsNeighbours(dtype: DType, _ example: Case) {
    let packed = Run(example.shape, rows: example.rows, dtype, seed: 10)
    packed.compute(example.starts, example.shape)
    for (start, length) in zip(example.starts.map(Int.init), example.lengths) {
      let alone = Run(packed, rows: start..<start + length)
      alone.compute([0, Int32(length)], example.shape)
      let part = [packed.out, packed.dq, packed.dk, packed.dv].map { $0.rows(start..<start + length).doubles }
      #expect(alone.results == part, "sequence of \(length) at \(start)")
    }
  }

  @Test(
    arguments: [DType.float32, .bfloat16],
    [
      Case(heads: 6, keyValueHeads: 3, headDim: 64, lengths: [300, 2, 90]),
      Case(heads: 6, keyValueHeads: 3, headDim: 64, lengths: [300, 2, 90], window: 130, hasSlopes: true),
    ])
  func threadsDoNotChangeABit(dtype: DType, _ example: Case) {
    let results = [1, 2].map { threads in
      let run = Run(example.shape, rows: example.rows, dtype, seed: 11)
      withThreads(threads) { run.compute(example.starts, example.shape) }
      return run.results
    }
    #expect(results[0] == results[1])
  }

  @Test(arguments: [1, 3, 5, 140], [nil, 1, 50, 150, 1000])
  func cachedRowsEqualTheLastOnesOfAll(new: Int, window: Int?) {
    for (dtype, hasSlopes) in [
      (DType.float32, false), (.bfloat16, false), (.float32, true), (.bfloat16, true),
    ] {
      let example = Case(
        heads: 2, keyValueHeads: 1, headDim: 32, lengths: [200], window: window, hasSlopes: hasSlopes)
      let run = Run(example.shape, rows: 200, dtype, seed: 12)
      let naive = NaiveAttention(run, example.starts, example.shape, gradient: false)
      let past = 200 - new
      let out = Tensor([new, run.out.columns], dtype).matrix
      let sequence = CachedSequence(
        rows: 0..<new, keys: copy(run.k, first: past), values: copy(run.v, first: past))
      let last = past..<200
      Ops.attentionCached(
        out, q: run.q.rows(last), k: run.k.rows(last), v: run.v.rows(last), sequences: [sequence],
        shape: example.shape)
      assertClose(
        out.doubles, Array(naive.out[(past * out.columns)...]),
        Tolerance(absolute: dtype == .bfloat16 ? 0x1p-7 : 4e-6),
        "\(new) rows after \(past) \(example) \(dtype)")
    }
  }

  /// A cache of x's size that holds its first rows.
  private func copy(_ x: Matrix, first: Int) -> Matrix {
    let cache = Tensor.zeros([x.rows, x.columns], x.dtype).matrix
    Ops.convert(cache.rows(0..<first), x.rows(0..<first))
    return cache
  }

  /// Sequences that go on together get what they get alone, on one thread and on two.
  @Test(arguments: [DType.float32, .bfloat16], [1, 2])
  func sequencesThatGoOnTogetherAreAsAlone(dtype: DType, threads: Int) {
    let shape = Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1]).shape
    let lengths = [(past: 40, new: 1), (past: 0, new: 3), (past: 170, new: 1)]
    let runs = lengths.enumerated().map { index, length in
      Run(shape, rows: length.past + length.new, dtype, seed: UInt64(index))
    }
    let total = lengths.reduce(0) { $0 + $1.new }
    let new = { (matrix: (Run) -> Matrix) in
      let all = Tensor([total, matrix(runs[0]).columns], dtype).matrix
      var first = 0
      for (run, length) in zip(runs, lengths) {
        Ops.convert(
          all.rows(first..<first + length.new), matrix(run).rows(length.past..<length.past + length.new))
        first += length.new
      }
      return all
    }
    let (q, k, v) = (new(\.q), new(\.k), new(\.v))
    func attend(_ chosen: [Int]) -> Matrix {
      let out = Tensor.zeros([total, q.columns], dtype).matrix
      var first = 0
      var sequences: [CachedSequence] = []
      for (index, (run, length)) in zip(runs, lengths).enumerated() {
        let rows = first..<first + length.new
        first = rows.upperBound
        guard chosen.contains(index) else { continue }
        sequences.append(
          CachedSequence(
            rows: rows, keys: copy(run.k, first: length.past), values: copy(run.v, first: length.past)))
      }
      Ops.attentionCached(out, q: q, k: k, v: v, sequences: sequences, shape: shape)
      return out
    }
    withThreads(threads) {
      let together = attend([0, 1, 2])
      var first = 0
      for (index, length) in lengths.enumerated() {
        let rows = first..<first + length.new
        first = rows.upperBound
        #expect(attend([index]).rows(rows).doubles == together.rows(rows).doubles, "sequence \(index)")
      }
    }
  }
}

/// softmax(scores)·v under the causal mask, window and slopes included, and its gradient, one element at a time.
struct NaiveAttention {
  var q, k, v: [Double]
  private(set) var out, logSums, dq, dk, dv: [Double]
  private let starts: [Int]
  private let shape: AttentionShape
  private var rows: Int { starts[starts.count - 1] }
  private var wide: Int { shape.heads * shape.headDim }
  private var narrow: Int { shape.keyValueHeads * shape.headDim }

  init(_ run: AttentionTests.Run, _ starts: [Int32], _ shape: AttentionShape, gradient: Bool = true) {
    (q, k, v) = (run.q.doubles, run.k.doubles, run.v.doubles)
    self.starts = starts.map(Int.init)
    self.shape = shape
    (out, dq) = ([], [])
    (logSums, dk, dv) = ([], [], [])
    forward()
    if gradient { backward(run.dout.doubles) }
  }

  mutating func forward() {
    out = [Double](repeating: 0, count: rows * wide)
    logSums = [Double](repeating: 0, count: shape.heads * rows)
    for (start, row, head) in indices {
      let scores = scores(start, row, head)
      let largest = scores.max() ?? 0
      let sum = scores.reduce(0) { $0 + exp($1 - largest) }
      logSums[head * rows + row] = largest + log(sum)
      for (offset, score) in scores.enumerated() {
        let p = exp(score - largest) / sum
        let value = keyIndex(first(start, row) + offset, head)
        for d in 0..<shape.headDim { out[row * wide + head * shape.headDim + d] += p * v[value + d] }
      }
    }
  }

  mutating func backward(_ dout: [Double]) {
    dq = [Double](repeating: 0, count: rows * wide)
    dk = [Double](repeating: 0, count: rows * narrow)
    dv = dk
    for (start, row, head) in indices {
      let query = row * wide + head * shape.headDim
      let p = scores(start, row, head).map { exp($0 - logSums[head * rows + row]) }
      let dp = p.indices.map { offset in
        (0..<shape.headDim).reduce(0.0) {
          $0 + dout[query + $1] * v[keyIndex(first(start, row) + offset, head) + $1]
        }
      }
      let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
      for offset in p.indices {
        let key = keyIndex(first(start, row) + offset, head)
        let ds = p[offset] * (dp[offset] - mean) * Double(shape.scale)
        for d in 0..<shape.headDim {
          dq[query + d] += ds * k[key + d]
          dk[key + d] += ds * q[query + d]
          dv[key + d] += p[offset] * dout[query + d]
        }
      }
    }
  }

  private func keyIndex(_ row: Int, _ head: Int) -> Int {
    row * narrow + head / (shape.heads / shape.keyValueHeads) * shape.headDim
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
      return sum * Double(shape.scale) + slope * Double(other - row)
    }
  }

  private var indices: [(start: Int, row: Int, head: Int)] {
    zip(starts, starts.dropFirst()).flatMap { start, end in
      (start..<end).flatMap { row in (0..<shape.heads).map { (start, row, $0) } }
    }
  }
}
