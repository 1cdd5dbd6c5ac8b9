import FireflyTensors
import FireflyTestSupport
import Testing

/// Products against naive sums in Double over the same (rounded) operands.
struct MatMulTests {
  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 7, 5), (7, 1, 5), (3, 5, 1), (1, 300, 64), (8, 600, 33), (63, 65, 67), (40, 50, 800),
    (600, 20, 30), (100, 400, 60), (257, 129, 70),
  ]

  @Test(arguments: [DType.float32, .bfloat16], [false, true])
  func agreesWithNaiveSums(dtype: DType, accumulate: Bool) {
    var random = TestRandom(seed: 1)
    for (m, n, k) in MatMulTests.shapes {
      for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
        for outType in Set([DType.float32, dtype]) {
          let a = random.matrix(transposeA ? (k, m) : (m, k), dtype, margin: 3)
          let b = random.matrix(transposeB ? (n, k) : (k, n), dtype, margin: 5)
          let out = random.matrix((m, n), outType, margin: 4)
          var expected = accumulate ? out.doubles : [Double](repeating: 0, count: m * n)
          let (x, y) = (a.doubles, b.doubles)
          for i in 0..<m {
            for j in 0..<n {
              var sum = 0.0
              for l in 0..<k {
                sum += (transposeA ? x[l * m + i] : x[i * k + l]) * (transposeB ? y[j * k + l] : y[l * n + j])
              }
              expected[i * n + j] += 0.5 * sum
            }
          }
          Ops.matmul(
            out, a, b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate, scale: 0.5)
          // float32 sums of k products of values below 1; bfloat16 keeps 8 bits of the result.
          let rounding: Float = outType == .bfloat16 ? 0x1p-8 : 0
          assertClose(
            out.doubles, expected, Tolerance(relative: rounding, absolute: 4e-7 * Float(k + 1)),
            "\(dtype) → \(outType) [\(m), \(k)]·[\(k), \(n)] \(transposeA) \(transposeB)")
        }
      }
    }
  }

  @Test func anEmptySumIsZeroOrLeavesTheOutput() {
    var random = TestRandom(seed: 2)
    let a = Tensor([3, 0], .float32).matrix
    let b = Tensor([0, 2], .float32).matrix
    let out = random.matrix((3, 2), .float32, margin: 1)
    let before = out.doubles
    Ops.matmul(out, a, b, accumulate: true)
    #expect(out.doubles == before)
    Ops.matmul(out, a, b)
    #expect(out.doubles == [Double](repeating: 0, count: 6))
  }

  @Test func surroundingsOfTheOutputAreLeftAlone() {
    var random = TestRandom(seed: 3)
    let a = random.matrix((40, 24), .float32, margin: 0)
    let b = random.matrix((24, 30), .float32, margin: 0)
    let whole = Tensor.zeros([44, 40], .float32)
    Ops.matmul(whole.matrix.rows(2..<42).columns(5..<35), a, b)
    let floats = whole.floats
    for row in 0..<44 {
      for column in 0..<40 where !(2..<42).contains(row) || !(5..<35).contains(column) {
        #expect(floats[row * 40 + column] == 0, "row \(row) column \(column) was written")
      }
    }
  }

  @Test(arguments: [DType.float32, .bfloat16])
  func threadsDoNotChangeABit(dtype: DType) {
    var random = TestRandom(seed: 4)
    let a = random.matrix((300, 210), dtype, margin: 7)
    let b = random.matrix((700, 210), dtype, margin: 0)
    let one = Tensor([300, 700], dtype).matrix
    let many = Tensor([300, 700], dtype).matrix
    withThreads(1) { Ops.matmul(one, a, b, transposeB: true) }
    withThreads(3) { Ops.matmul(many, a, b, transposeB: true) }
    #expect(one.doubles == many.doubles)
  }
}
