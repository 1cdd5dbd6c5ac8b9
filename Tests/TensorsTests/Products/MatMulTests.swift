import FireflyTensors
import FireflyTestSupport
import Testing

/// Products against naive sums in Double over the same (rounded) operands.
struct MatMulTests {
  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 7, 5), (7, 1, 5), (3, 5, 1), (1, 300, 64), (8, 600, 33), (63, 65, 67), (40, 50, 800),
    (600, 20, 30), (100, 400, 60), (257, 129, 70), (8, 8, 8), (9, 300, 8),
  ]

  @Test(arguments: Variant.products, [false, true])
  func agreesWithNaiveSums(variant: Variant, accumulate: Bool) {
    let dtype = variant.dtype
    var random = TestRandom(seed: 1)
    for (m, n, k) in MatMulTests.shapes {
      for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
        for outType in Set([DType.float32, dtype]) {
          let a = random.matrix(transposeA ? (k, m) : (m, k), dtype, margin: 3)
          let b = random.matrix(transposeB ? (n, k) : (k, n), dtype, margin: 5)
          let (x, y) = (a.doubles, b.doubles)
          var sums = [Double](repeating: 0, count: m * n)
          for i in 0..<m {
            for j in 0..<n {
              for l in 0..<k {
                sums[i * n + j] +=
                  (transposeA ? x[l * m + i] : x[i * k + l]) * (transposeB ? y[j * k + l] : y[l * n + j])
              }
            }
          }
          for scale: Float in [1, 0.5] {
            let out = random.matrix((m, n), outType, margin: 4)
            let before = out.doubles
            let expected = zip(before, sums).map { (accumulate ? $0 : 0) + Double(scale) * $1 }
            variant.run {
              Ops.matmul(
                out, a, b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate,
                scale: scale)
            }
            // float32 sums of k products of values below 1; bfloat16 keeps 8 bits of the result.
            let rounding: Float = outType == .bfloat16 ? 0x1p-8 : 0
            assertClose(
              out.doubles, expected, Tolerance(relative: rounding, absolute: 4e-7 * Float(k + 1)),
              "\(variant) → \(outType) [\(m), \(k)]·[\(k), \(n)] \(transposeA) \(transposeB) \(scale)")
          }
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

  @Test(arguments: Variant.products)
  func threadsDoNotChangeABit(variant: Variant) {
    var random = TestRandom(seed: 4)
    let a = random.matrix((300, 210), variant.dtype, margin: 7)
    let b = random.matrix((700, 210), variant.dtype, margin: 0)
    let gradient = random.matrix((300, 700), variant.dtype)
    let results = [1, 3].map { threads in
      let out = Tensor([300, 700], variant.dtype).matrix
      let weight = Tensor.zeros([700, 210], .float32).matrix
      let thin = Tensor.zeros([210, 16], .float32).matrix
      withThreads(threads) {
        variant.run {
          Ops.matmul(out, a, b, transposeB: true)
          Ops.matmul(weight, gradient, a, transposeA: true, accumulate: true)
          Ops.matmul(thin, a, gradient.columns(0..<16), transposeA: true, accumulate: true)
        }
      }
      return out.doubles + weight.doubles + thin.doubles
    }
    #expect(results[0] == results[1])
  }
}
