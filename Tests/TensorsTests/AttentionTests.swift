import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Attention against the textbook sums in Double, and those against finite differences.
struct AttentionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let heads, keyValueHeads, headDim: Int
    var valueDim: Int?
    let lengths: [Int]
    var window: Int?
    var hasSlopes = false
    var cap: Float?
    var hasSinks = false
    var testDescription: String {
      "\(heads)/\(keyValueHeads) heads of \(headDim) and \(valueDim ?? headDim), lengths \(lengths), window \(window ?? 0)"
        + (hasSlopes ? ", ALiBi" : "") + (cap.map { ", within \($0)" } ?? "") + (hasSinks ? ", sinks" : "")
    }
    var shape: AttentionShape {
      AttentionShape(
        heads: heads, keyValueHeads: keyValueHeads, headDim: headDim, valueDim: valueDim,
        scale: 1 / Float(headDim).squareRoot(), window: window, cap: cap,
        slopes: hasSlopes ? Tensor((0..<heads).map { exp2(-Float($0) - 1) }, [heads]) : nil,
        // Far below the scores, among them, and far above.
        sinks: hasSinks ? Tensor((0..<heads).map { 8 * Float($0) - 8 + Float($0 % 2) }, [heads]) : nil)
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
    // So short a window that neighbouring blocks of queries share sums of the gradient.
    Case(heads: 3, keyValueHeads: 3, headDim: 16, lengths: [1200], window: 30),
    Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1, 5, 300, 64], hasSlopes: true),
    Case(heads: 4, keyValueHeads: 1, headDim: 16, lengths: [300, 9], window: 70, hasSlopes: true),
    // Values narrower and wider than keys.
    Case(heads: 3, keyValueHeads: 3, headDim: 24, valueDim: 16, lengths: [1, 140, 9]),
    Case(
      heads: 4, keyValueHeads: 2, headDim: 20, valueDim: 33, lengths: [130, 3], window: 50, hasSlopes: true),
    Case(heads: 4, keyValueHeads: 1, headDim: 48, valueDim: 32, lengths: [300, 1, 2]),
    Case(heads: 4, keyValueHeads: 2, headDim: 16, lengths: [1, 140, 9], window: 50, cap: 1.5),
    Case(heads: 2, keyValueHeads: 1, headDim: 16, lengths: [300, 9], hasSlopes: true, cap: 20),
    Case(heads: 4, keyValueHeads: 2, headDim: 64, lengths: [1, 5, 130, 40], window: 50, hasSinks: true),
    Case(
      heads: 3, keyValueHeads: 1, headDim: 20, valueDim: 33, lengths: [300, 1], hasSlopes: true,
      hasSinks: true),
    // One more and one less than a block of queries and keys.
    Case(heads: 1, keyValueHeads: 1, headDim: 96, lengths: [191, 193, 6]),
    Case(heads: 8, keyValueHeads: 1, headDim: 64, lengths: [101]),
    Case(heads: 1, keyValueHeads: 1, headDim: 256, lengths: [101, 6], window: 97),
    Case(heads: 2, keyValueHeads: 2, headDim: 192, valueDim: 128, lengths: [1, 40]),
    Case(heads: 1, keyValueHeads: 1, headDim: 576, valueDim: 520, lengths: [20]),
  ]

  /// q, k and v as column ranges of one buffer, dout, and room for all results in another.
  struct Run {
    let q, k, v, dout, out, dq, dk, dv: Matrix
    let logSums, dSinks: Tensor

    init(_ shape: AttentionShape, rows: Int, _ dtype: DType, seed: UInt64) {
      var random = TestRandom(seed: seed)
      let sizes = [
        shape.heads * shape.headDim, shape.keyValueHeads * shape.headDim,
        shape.keyValueHeads * shape.valueDim,
      ]
      let (width, result) = (sizes.reduce(0, +), shape.heads * shape.valueDim)
      let input = random.matrix((rows, width), dtype, margin: 8, scale: 2)
      let gradient = random.matrix((rows, width), dtype, margin: 8)
      (q, k, v) = Run.split(input, sizes)
      (dq, dk, dv) = Run.split(gradient, sizes)
      dout = random.matrix((rows, result), dtype, margin: 5)
      out = random.matrix((rows, result), dtype)
      logSums = Tensor([shape.heads, rows], .float32)
      dSinks = Tensor.zeros([shape.heads], .float32)
    }

    static func split(_ whole: Matrix, _ sizes: [Int]) -> (Matrix, Matrix, Matrix) {
      let keys = sizes[0]..<sizes[0] + sizes[1]
      return (
        whole.columns(0..<sizes[0]), whole.columns(keys),
        whole.columns(keys.upperBound..<keys.upperBound + sizes[2])
      )
    }

    /// The same rows of every matrix.
    init(_ whole: Run, rows: Range<Int>) {
      (q, k, v) = (whole.q.rows(rows), whole.k.rows(rows), whole.v.rows(rows))
      dout = whole.dout.rows(rows)
      let like = { (m: Matrix) in Tensor([rows.count, m.columns], m.dtype).matrix }
      (out, dq, dk, dv) = (like(whole.out), like(whole.dq), like(whole.dk), like(whole.dv))
      logSums = Tensor([whole.logSums.shape[0], rows.count], .float32)
      dSinks = Tensor.zeros(whole.dSinks.shape, .float32)
    }

    func compute(_ starts: [Int32], _ shape: AttentionShape) {
      Ops.attention(out, logSums: logSums, q: q, k: k, v: v, starts: starts, shape: shape)
      dSinks.setZero()
      Ops.attentionGradient(
        dq: dq, dk: dk, dv: dv, dSinks: dSinks, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v,
        starts: starts,
        shape: shape)
    }

    var results: [[Double]] { [out.doubles, dq.doubles, dk.doubles, dv.doubles] }
  }

  /// On every table: whole blocks, and what is left over of rows, keys and columns.
  @Test(arguments: cases, [DType.float32, .bfloat16])
  func agreesWithNaiveSums(_ example: Case, dtype: DType) {
    let run = Run(example.shape, rows: example.rows, dtype, seed: 8)
    let naive = NaiveAttention(run, example.starts, example.shape)
    // float32: a few units in the last place of the largest value; bfloat16: probabilities and their gradients are
    // rounded to 8 bits, as the results are.
    let unit = dtype == .bfloat16 ? 0x1p-7 : 4e-6
    for variant in Variant.attention where variant.dtype == dtype {
      let table = variant.isa
      variant.run { run.compute(example.starts, example.shape) }
      let logSums = run.logSums.floats.map(Double.init)
      assertClose(logSums, naive.logSums, Tolerance(absolute: 4e-6), "log sums on \(table)")
      for (name, actual, expected) in [
        ("out", run.out, naive.out), ("dq", run.dq, naive.dq), ("dk", run.dk, naive.dk),
        ("dv", run.dv, naive.dv),
      ] {
        let largest = max(expected.map(abs).max() ?? 0, 1)  // with one key, dq and dk are 0
        assertClose(
          actual.doubles, expected, Tolerance(absolute: Float(unit * largest)), "\(name) \(dtype) on \(table)"
        )
      }
      guard example.hasSinks else { continue }
      // A sum over the rows of what each of them gets with the error of a product.
      let largest = max(naive.dSinks.map(abs).max() ?? 0, 1)
      assertClose(
        run.dSinks.floats.map(Double.init), naive.dSinks, Tolerance(absolute: Float(4 * unit * largest)),
        "dSinks on \(table)")
    }
  }

  /// Later keys have larger scores, so that what is summed must be scaled again and again.
  @Test(arguments: [DType.float32, .bfloat16])
  func scoresThatGrow(dtype: DType) {
    let example = Case(heads: 2, keyValueHeads: 1, headDim: 64, lengths: [400])
    let run = Run(example.shape, rows: 400, dtype, seed: 17)
    for row in 0..<400 { Ops.scale(run.k.rows(row..<row + 1), by: 1 + Float(row) / 40) }
    let naive = NaiveAttention(run, example.starts, example.shape, gradient: false)
    let span = { (x: [Double]) in (x.max() ?? 0) - (x.min() ?? 0) }
    #expect(span(naive.logSums) > 20)
    for variant in Variant.attention where variant.dtype == dtype {
      variant.run { run.compute(example.starts, example.shape) }
      let unit: Float = dtype == .bfloat16 ? 0x1p-6 : 1e-4
      assertClose(run.out.doubles, naive.out, Tolerance(absolute: unit), "out \(dtype) on \(variant.isa)")
      let logSums = run.logSums.floats.map(Double.init)
      assertClose(logSums, naive.logSums, Tolerance(absolute: 1e-4), "log sums on \(variant.isa)")
    }
  }

  /// Queries, keys and gradients that are no numbers spoil what sees them and nothing else.
  @Test(arguments: Variant.attention, [nil, 40])
  func noNumbersSpoilWhatSeesThem(variant: Variant, window: Int?) {
    let (row, rows, dim) = (110, 230, 16)
    let example = Case(heads: 2, keyValueHeads: 2, headDim: dim, lengths: [rows], window: window)
    let seeing = row..<min(rows, row + (window ?? rows))
    func rowsThatAreNoNumbers(_ x: Matrix, head: Int) -> [Int] {
      let values = x.doubles
      return (0..<rows).filter { r in
        values[r * x.columns + head * dim..<r * x.columns + (head + 1) * dim].contains { !$0.isFinite }
      }
    }
    for (value, spoilt) in [(Float.nan, \Run.k), (.infinity, \Run.k), (.nan, \Run.q)] {
      let run = Run(example.shape, rows: rows, variant.dtype, seed: 13)
      Ops.convert(
        run[keyPath: spoilt].rows(row..<row + 1).columns(dim..<dim + 1), Tensor([value], [1, 1]).matrix)
      variant.run { run.compute(example.starts, example.shape) }
      let spoiltRows = spoilt == \Run.k ? seeing : row..<row + 1
      #expect(rowsThatAreNoNumbers(run.out, head: 0).isEmpty && rowsThatAreNoNumbers(run.dq, head: 0).isEmpty)
      if value.isNaN {
        #expect(rowsThatAreNoNumbers(run.out, head: 1) == Array(spoiltRows), "\(value) in \(spoilt)")
        // The products of a gradient take whole vectors of keys and groups of rows, or whole steps of tiles of both,
        // unseen ones times 0.
        let reach = variant.isOnTiles ? 62 : 16
        let near = spoiltRows.lowerBound - reach..<spoiltRows.upperBound + reach
        let ofQueries = Set(rowsThatAreNoNumbers(run.dq, head: 1))
        #expect(ofQueries.isSuperset(of: spoiltRows) && ofQueries.isSubset(of: near))
      }
      let keys = rowsThatAreNoNumbers(run.dv, head: 1)
      #expect(rowsThatAreNoNumbers(run.dv, head: 0).isEmpty && !keys.isEmpty)
    }
  }

  @Test(arguments: [
    Case(heads: 4, keyValueHeads: 2, headDim: 8, lengths: [1, 6, 3]),
    Case(heads: 2, keyValueHeads: 1, headDim: 8, lengths: [7, 2], window: 3, hasSlopes: true),
    Case(heads: 2, keyValueHeads: 2, headDim: 6, valueDim: 4, lengths: [5, 2]),
    Case(heads: 2, keyValueHeads: 1, headDim: 8, lengths: [7, 2], window: 3, cap: 0.7),
    Case(heads: 3, keyValueHeads: 1, headDim: 8, lengths: [7, 2], window: 3, hasSinks: true),
  ])
  func theReferenceGradientIsThatOfFiniteDifferences(_ example: Case) {
    let run = Run(example.shape, rows: example.rows, .float32, seed: 9)
    let naive = NaiveAttention(run, example.starts, example.shape)
    let dout = run.dout.doubles
    let loss = { (reference: NaiveAttention) in zip(reference.out, dout).reduce(0) { $0 + $1.0 * $1.1 } }
    let step = 1e-5
    for (name, input, gradient) in [
      ("dq", \NaiveAttention.q, naive.dq), ("dk", \NaiveAttention.k, naive.dk),
      ("dv", \NaiveAttention.v, naive.dv), ("dSinks", \NaiveAttention.sinks, naive.dSinks),
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
      Case(heads: 4, keyValueHeads: 4, headDim: 24, valueDim: 16, lengths: [3, 300, 1, 140]),
      Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [3, 300, 1, 140], hasSinks: true),
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
      Case(heads: 6, keyValueHeads: 3, headDim: 24, valueDim: 40, lengths: [300, 2, 90]),
      Case(heads: 6, keyValueHeads: 3, headDim: 64, lengths: [300, 2, 90], hasSinks: true),
    ])
  func threadsDoNotChangeABit(dtype: DType, _ example: Case) {
    let results = [1, 2].map { threads in
      let run = Run(example.shape, rows: example.rows, dtype, seed: 11)
      withThreads(threads) { run.compute(example.starts, example.shape) }
      return run.results + [run.dSinks.floats.map(Double.init)]
    }
    #expect(results[0] == results[1])
  }

  @Test(arguments: [1, 3, 5, 140], [nil, 1, 50, 150, 1000])
  func cachedRowsEqualTheLastOnesOfAll(new: Int, window: Int?) {
    expectCachedRows(new, window)
  }

  @Test(arguments: [1, 5]) func cachedRowsWithCappedScores(new: Int) {
    expectCachedRows(new, 50, cap: 1.5)
  }

  @Test(arguments: [1, 5, 140], [nil, 50]) func cachedRowsWithSinks(new: Int, window: Int?) {
    expectCachedRows(new, window, hasSinks: true)
  }

  private func expectCachedRows(_ new: Int, _ window: Int?, cap: Float? = nil, hasSinks: Bool = false) {
    for (dtype, hasSlopes, heads, valueDim) in [
      (DType.float32, false, 2, 32), (.bfloat16, false, 2, 32), (.float32, true, 2, 32),
      (.bfloat16, true, 2, 32), (.float32, false, 2, 20), (.bfloat16, true, 2, 56), (.float32, true, 19, 24),
    ] {
      let example = Case(
        heads: heads, keyValueHeads: 1, headDim: 32, valueDim: valueDim, lengths: [200], window: window,
        hasSlopes: hasSlopes, cap: cap, hasSinks: hasSinks)
      let run = Run(example.shape, rows: 200, dtype, seed: 12)
      let naive = NaiveAttention(run, example.starts, example.shape, gradient: false)
      let past = 200 - new
      let out = Tensor([new, run.out.columns], dtype).matrix
      let sequence = CachedSequence(rows: 0..<new, keys: run.k, values: run.v)
      Ops.attentionCached(out, q: run.q.rows(past..<200), sequences: [sequence], shape: example.shape)
      assertClose(
        out.doubles, Array(naive.out[(past * out.columns)...]),
        Tolerance(absolute: dtype == .bfloat16 ? 0x1p-7 : 4e-6),
        "\(new) rows after \(past) \(example) \(dtype)")
      // The same from caches that lack the new rows, which are given beside them.
      let last = past..<200
      let added = Tensor([new, run.out.columns], dtype).matrix
      let cache = CachedSequence(
        rows: 0..<new, keys: copy(run.k, first: past), values: copy(run.v, first: past))
      Ops.attentionCached(
        added, q: run.q.rows(last), adding: NewKeyValues(k: run.k.rows(last), v: run.v.rows(last)),
        sequences: [cache], shape: example.shape)
      #expect(added.doubles == out.doubles && cache.keys.doubles == run.k.doubles)
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
    expectTogetherAsAlone([(past: 40, new: 1), (past: 0, new: 3), (past: 170, new: 1)], dtype, threads)
    // Few rows beside many.
    expectTogetherAsAlone([(past: 40, new: 1), (past: 9, new: 6), (past: 170, new: 2)], dtype, threads)
  }

  private func expectTogetherAsAlone(_ lengths: [(past: Int, new: Int)], _ dtype: DType, _ threads: Int) {
    let shape = Case(heads: 4, keyValueHeads: 2, headDim: 32, lengths: [1]).shape
    let runs = lengths.enumerated().map { index, length in
      Run(shape, rows: length.past + length.new, dtype, seed: UInt64(index))
    }
    let total = lengths.reduce(0) { $0 + $1.new }
    let q = Tensor([total, runs[0].q.columns], dtype).matrix
    var first = 0
    for (run, length) in zip(runs, lengths) {
      Ops.convert(
        q.rows(first..<first + length.new), run.q.rows(length.past..<length.past + length.new))
      first += length.new
    }
    func attend(_ chosen: [Int]) -> Matrix {
      let out = Tensor.zeros([total, q.columns], dtype).matrix
      var first = 0
      var sequences: [CachedSequence] = []
      for (index, (run, length)) in zip(runs, lengths).enumerated() {
        let rows = first..<first + length.new
        first = rows.upperBound
        guard chosen.contains(index) else { continue }
        sequences.append(CachedSequence(rows: rows, keys: run.k, values: run.v))
      }
      Ops.attentionCached(out, q: q, sequences: sequences, shape: shape)
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
