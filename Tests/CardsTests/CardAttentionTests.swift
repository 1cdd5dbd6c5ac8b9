import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Testing

/// Attention on the emulated card against the processor's.
@Suite struct CardAttentionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var heads = 4
    var keyHeads = 2
    var head = 12
    var value: Int? = nil
    var window: Int? = nil
    var alibi = false
    var sinks = false
    var testDescription: String {
      "\(heads) heads of \(head) over \(keyHeads)" + (value.map { ", values of \($0)" } ?? "")
        + (window.map { ", a window of \($0)" } ?? "") + (alibi ? ", ALiBi" : "")
        + (sinks ? ", sinks" : "")
    }
  }

  static let cases = [
    Case(keyHeads: 4), Case(), Case(keyHeads: 1), Case(heads: 6, keyHeads: 2, value: 10), Case(window: 7),
    Case(keyHeads: 4, alibi: true), Case(heads: 6, keyHeads: 1, value: 20, window: 30, alibi: true),
    // Heads that tensor cores take in bfloat16.
    Case(heads: 3, keyHeads: 1, head: 64), Case(heads: 2, keyHeads: 2, head: 72, window: 70),
    Case(heads: 2, keyHeads: 1, head: 16, window: 7, alibi: true),
    Case(sinks: true), Case(heads: 4, keyHeads: 1, head: 64, window: 70, sinks: true),
  ]

  private func shapes(_ example: Case, _ both: inout BothDevices) -> Both<AttentionShape> {
    let ofHeads = both.tensor([example.heads])
    return ofHeads.map {
      AttentionShape(
        heads: example.heads, keyValueHeads: example.keyHeads, headDim: example.head,
        valueDim: example.value, scale: 0.3, window: example.window, slopes: example.alibi ? $0 : nil,
        sinks: example.sinks ? $0 : nil)
    }
  }

  /// Several sequences, one of them empty, one longer than a block.
  @Test(arguments: cases, [DType.float32, .bfloat16])
  func forwardAndBackward(_ example: Case, _ type: DType) {
    var both = BothDevices()
    let starts: [Int32] = [0, 5, 5, 6, 46, 320]
    let (rows, head, value) = (320, example.head, example.value ?? example.head)
    let shape = shapes(example, &both)
    func matrix(_ columns: Int) -> Both<Matrix> { both.matrix(rows, columns, type) }
    let (q, k) = (matrix(example.heads * head), matrix(example.keyHeads * head))
    let (v, out) = (matrix(example.keyHeads * value), matrix(example.heads * value))
    let (dq, dk) = (matrix(example.heads * head), matrix(example.keyHeads * head))
    let (dv, dout) = (matrix(example.keyHeads * value), matrix(example.heads * value))
    let logSums = both.tensor([example.heads, rows])
    Ops.attention(
      out.cpu, logSums: logSums.cpu, q: q.cpu, k: k.cpu, v: v.cpu, starts: starts, shape: shape.cpu)
    Ops.attention(
      out.card, logSums: logSums.card, q: q.card, k: k.card, v: v.card, starts: starts, shape: shape.card)
    expectEqual(out, "attention")
    expectEqual(logSums, relative: 1e-4, "log sums")
    let dSinks = both.tensor([example.heads])
    Ops.attentionGradient(
      dq: dq.cpu, dk: dk.cpu, dv: dv.cpu, dSinks: dSinks.cpu, dout: dout.cpu, out: out.cpu,
      logSums: logSums.cpu, q: q.cpu,
      k: k.cpu, v: v.cpu, starts: starts, shape: shape.cpu)
    Ops.attentionGradient(
      dq: dq.card, dk: dk.card, dv: dv.card, dSinks: dSinks.card, dout: dout.card, out: out.card,
      logSums: logSums.card, q: q.card, k: k.card, v: v.card, starts: starts, shape: shape.card)
    // The probabilities' gradients are rounded, and then the result is, on either device.
    expectEqual(dq, relative: 1e-4, roundings: 2, "dq")
    expectEqual(dk, relative: 1e-4, roundings: 2, "dk")
    expectEqual(dv, relative: 1e-4, roundings: 2, "dv")
    expectEqual(dSinks, relative: type == .float32 ? 1e-4 : 0x1p-6, "dSinks")
  }

  /// A sequence of few new rows, one of many, and a new one; with keys to add and without.
  @Test(arguments: cases, [DType.float32, .bfloat16])
  func overCaches(_ example: Case, _ type: DType) {
    overCaches(example, type, [(rows: 0..<2, past: 40), (rows: 2..<11, past: 6), (rows: 12..<13, past: 0)])
  }

  /// As answers are written: each row is the only new one of its sequence. What is said of few of them comes with the launch.
  @Test(arguments: [3, 11], [DType.float32, .bfloat16])
  func answersOverCaches(_ count: Int, _ type: DType) {
    overCaches(Self.cases[9], type, (0..<count).map { (rows: $0..<$0 + 1, past: 7 * $0) })
  }

  private func overCaches(_ example: Case, _ type: DType, _ spans: [(rows: Range<Int>, past: Int)]) {
    var both = BothDevices()
    let (head, value) = (example.head, example.value ?? example.head)
    let shape = shapes(example, &both)
    let count = spans[spans.count - 1].rows.upperBound
    let caches = spans.map { span in
      (
        keys: both.matrix(span.past + span.rows.count, example.keyHeads * head, type),
        values: both.matrix(span.past + span.rows.count, example.keyHeads * value, type)
      )
    }
    let q = both.matrix(count, example.heads * head, type)
    let out = both.matrix(count, example.heads * value, type)
    let (k, v) = (
      both.matrix(count, example.keyHeads * head, type), both.matrix(count, example.keyHeads * value, type)
    )
    for adds in [true, false] {
      for onCard in [false, true] {
        func own(_ x: Both<Matrix>) -> Matrix { onCard ? x.card : x.cpu }
        let sequences = zip(spans, caches).map {
          CachedSequence(rows: $0.rows, keys: own($1.keys), values: own($1.values))
        }
        Ops.attentionCached(
          own(out), q: own(q), adding: adds ? NewKeyValues(k: own(k), v: own(v)) : nil, sequences: sequences,
          shape: onCard ? shape.card : shape.cpu)
      }
      for span in spans { expectEqual(out.map { $0.rows(span.rows) }, "rows \(span.rows)") }
    }
    for cache in caches {
      #expect(cache.keys.cpu.elements == cache.keys.card.elements)
      #expect(cache.values.cpu.elements == cache.values.card.elements)
    }
  }
}
