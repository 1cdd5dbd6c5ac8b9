import FireflyTensors
import FireflyTestSupport
import Testing

/// Products of each head's columns with rows of its own, against naive sums in Double.
struct HeadProductTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let heads, inputs, outputs: Int
    let transposed, shared, accumulate: Bool
    var testDescription: String {
      "\(heads) heads [\(inputs), \(outputs)]" + (transposed ? ", transposed" : "")
        + (shared ? ", one weight" : "") + (accumulate ? ", added" : "")
    }
  }

  static let cases = [
    Case(heads: 3, inputs: 10, outputs: 16, transposed: false, shared: false, accumulate: false),
    Case(heads: 40, inputs: 64, outputs: 33, transposed: false, shared: false, accumulate: true),
    Case(heads: 5, inputs: 256, outputs: 12, transposed: true, shared: false, accumulate: false),
    Case(heads: 4, inputs: 7, outputs: 20, transposed: false, shared: true, accumulate: true),
    Case(heads: 4, inputs: 20, outputs: 7, transposed: true, shared: true, accumulate: false),
  ]

  /// x, the weight and its heads' rows, and y as it is before.
  private func operands(
    _ example: Case, rows: Int, _ dtype: DType
  ) -> (x: Matrix, weights: HeadWeights, y: Matrix) {
    var random = TestRandom(seed: 5)
    let (own, columns) =
      example.transposed ? (example.outputs, example.inputs) : (example.inputs, example.outputs)
    // Each head has rows before and after those that are used.
    let step = example.shared ? 0 : own + 3
    let matrix = random.matrix((own + 3 + (example.heads - 1) * step, columns), dtype, margin: 3)
    let x = random.matrix((rows, example.heads * example.inputs), dtype, margin: 5)
    let y = random.matrix((rows, example.heads * example.outputs), dtype, margin: 2)
    return (x, HeadWeights(matrix, heads: example.heads, rows: 2..<2 + own, step: step), y)
  }

  @Test(arguments: cases, [DType.float32, .bfloat16])
  func agreesWithNaiveSums(_ example: Case, _ dtype: DType) {
    let (x, weights, y) = operands(example, rows: 3, dtype)
    let (values, w) = (x.doubles, weights.matrix.doubles)
    var expected = example.accumulate ? y.doubles : [Double](repeating: 0, count: y.rows * y.columns)
    for row in 0..<3 {
      for head in 0..<example.heads {
        for o in 0..<example.outputs {
          let place = row * y.columns + head * example.outputs + o
          for i in 0..<example.inputs {
            let (r, c) = example.transposed ? (o, i) : (i, o)
            expected[place] +=
              values[row * x.columns + head * example.inputs + i]
              * w[(2 + head * weights.step + r) * weights.matrix.columns + c]
          }
        }
      }
    }
    Ops.multiplyHeads(y, x, weights, transposed: example.transposed, accumulate: example.accumulate)
    let unit = dtype == .bfloat16 ? 0x1p-7 : 2e-6
    let largest = expected.reduce(1) { max($0, abs($1)) }
    assertClose(y.doubles, expected, Tolerance(absolute: Float(unit * largest)), "\(example) \(dtype)")
  }

  @Test(arguments: cases, [DType.float32, .bfloat16])
  func aRowDoesNotDependOnTheOthers(_ example: Case, _ dtype: DType) {
    let (x, weights, y) = operands(example, rows: 9, dtype)
    let alone = Tensor([1, y.columns], dtype).matrix
    Ops.convert(alone, y.rows(4..<5))
    withThreads(2) {
      Ops.multiplyHeads(y, x, weights, transposed: example.transposed, accumulate: example.accumulate)
    }
    withThreads(1) {
      Ops.multiplyHeads(
        alone, x.rows(4..<5), weights, transposed: example.transposed, accumulate: example.accumulate)
    }
    #expect(alone.doubles == y.rows(4..<5).doubles)
  }
}
