import CKernels
import CTiles
import FireflyTensors
import FireflyTestSupport
import Testing

/// Blocks of products on tiles, bit for bit: each imitation that runs here and, where the processor has them, the
/// instructions themselves.
struct TileProductsTests {
  struct Table: CustomTestStringConvertible, @unchecked Sendable {
    let name: String
    let functions: UnsafePointer<tiles>

    static let all: [Table] = {
      var tables = (0..<3).compactMap { index in
        tiles_imitation(index).map { Table(name: "imitation \(index)", functions: $0) }
      }
      if let hardware = tiles_hardware() { tables.append(Table(name: "instructions", functions: hardware)) }
      return tables
    }()

    var testDescription: String { name }

    /// Runs `body` with the calling thread's operations on these tiles.
    func use<Result>(_ body: () -> Result) -> Result {
      let before = (kernels_of_thread(), tiles_of_thread())
      kernels_use(InstructionSet.kernels)
      tiles_use(functions)
      defer {
        kernels_use(before.0)
        tiles_use(before.1)
      }
      return body()
    }

    /// y (+)= a·b, or a·bᵀ
    func multiply(_ y: Matrix, _ a: Matrix, _ b: Matrix, transposed: Bool, accumulate: Bool = false) {
      multiply(
        y,
        [
          tiles_term(
            a: a.input(), dense: b.input(), nf4: nil, first_row: 0, first_column: 0, k: a.columns,
            transposed: transposed ? 1 : 0)
        ], accumulate: accumulate)
    }

    func multiply(_ y: Matrix, _ terms: [tiles_term], accumulate: Bool = false) {
      let k = terms.reduce(0) { $0 + $1.k }
      let room = Tensor([tiles_room(y.rows, y.columns, k, terms.count)], .uint8)
      withExtendedLifetime(room) {
        functions.pointee.product(
          y.output(), terms, terms.count, accumulate ? 1 : 0, y.rows, y.columns, room.pointer)
      }
    }
  }

  /// Tails of every extent; several passes over a panel, several panels.
  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (16, 16, 32), (17, 31, 33), (32, 32, 64), (33, 48, 100), (9, 300, 8), (40, 24, 2100),
  ]

  /// What TDPBF16PS does, one number at a time: for each 32 of k a chain of the even elements and one of the odd ones,
  /// their sum, and this to what there is; denormals are 0 throughout.
  static func definition(_ start: Float, _ a: [Float], _ b: [Float]) -> Float {
    func flushed(_ x: Float) -> Float { x.isSubnormal ? Float(sign: x.sign, exponent: 0, significand: 0) : x }
    var sum = start
    for first in stride(from: 0, to: a.count, by: 32) {
      var chains: [Float] = [0, 0]
      for i in first..<min(first + 32, a.count) {
        chains[i % 2] = flushed(chains[i % 2].addingProduct(flushed(a[i]), flushed(b[i])))
      }
      sum = flushed(flushed(sum) + flushed(chains[0] + chains[1]))
    }
    return sum
  }

  @Test(arguments: Table.all, [false, true]) func sumsHaveTheirOrder(table: Table, accumulate: Bool) {
    var random = TestRandom(seed: 1)
    for (m, n, k) in TileProductsTests.shapes {
      for transposed in [false, true] {
        let a = random.matrix((m, k), .bfloat16, margin: 3)
        let b = random.matrix(transposed ? (n, k) : (k, n), .bfloat16, margin: 5)
        let y = random.matrix((m, n), .float32, margin: 2)
        let expected = (0..<m).flatMap { row in
          (0..<n).map { column in
            TileProductsTests.definition(
              accumulate ? y[row, column] : 0, (0..<k).map { a[row, $0] },
              (0..<k).map { transposed ? b[column, $0] : b[$0, column] })
          }
        }
        table.multiply(y, a, b, transposed: transposed, accumulate: accumulate)
        #expect(y.doubles == expected.map(Double.init), "[\(m), \(k)]·[\(k), \(n)] \(transposed)")
      }
    }
  }

  /// Where rows lie pages apart they are computed with elsewhere.
  @Test(arguments: Table.all, [false, true]) func whereRowsLieDoesNotMatter(table: Table, accumulate: Bool) {
    var random = TestRandom(seed: 6)
    let (m, n, k) = (33, 32, 700)
    let b = random.matrix((k, n), .bfloat16)
    let results = [0, 1].map { margin in
      let a = Tensor([m, 2048 + margin], .bfloat16).matrix.columns(0..<k)
      let y = Tensor([m, 1024 + margin], .float32).matrix.columns(0..<n)
      var random = TestRandom(seed: 7)
      for row in 0..<m {
        for column in 0..<k { a.set(row, column, random.float()) }
        for column in 0..<n { y.set(row, column, random.float()) }
      }
      table.multiply(y, a, b, transposed: false, accumulate: accumulate)
      return y.doubles
    }
    #expect(results[0] == results[1])
  }

  /// Numbers that are hard to sum: denormals, infinities, NaN, magnitudes far apart.
  @Test(arguments: Table.all) func hardNumbersHaveTheDefinedSums(table: Table) {
    var random = TestRandom(seed: 2)
    let hard: [Float] = [0, -0, 0x1p-127, -0x1p-126, 0x1p-70, -0x1p-64, 0x1p127, .infinity, .nan, 1]
    let (a, b) = (random.matrix((32, 64), .bfloat16), random.matrix((32, 64), .bfloat16))
    let y = random.matrix((32, 32), .float32)
    for matrix in [a, b, y] {
      // The last two rows and columns have none, so that most sums are finite.
      for row in 0..<30 where row % 5 == 0 {
        let column = Int(random.next() % 30)
        let value = hard[Int(random.next() % UInt64(hard.count))]
        matrix.set(row, column, value)
      }
    }
    let expected = (0..<32).flatMap { row in
      (0..<32).map { column in
        TileProductsTests.definition(
          y[row, column], (0..<64).map { a[row, $0] }, (0..<64).map { b[column, $0] })
      }
    }
    table.multiply(y, a, b, transposed: true, accumulate: true)
    for (index, (found, wanted)) in zip(y.doubles.map(Float.init), expected).enumerated() {
      #expect(found.isNaN && wanted.isNaN || found.bitPattern == wanted.bitPattern, "element \(index)")
    }
    #expect(expected.contains { $0.isNaN } && expected.contains { $0.isFinite && $0 != 0 })
  }

  /// Rounded once, and a row is the same alone.
  @Test(arguments: Table.all) func aRowDoesNotDependOnItsCompany(table: Table) {
    var random = TestRandom(seed: 3)
    let (a, b) = (random.matrix((67, 2200), .bfloat16), random.matrix((40, 2200), .bfloat16))
    for dtype in [DType.float32, .bfloat16] {
      let together = Tensor([67, 40], dtype).matrix
      let apart = Tensor([67, 40], dtype).matrix
      table.multiply(together, a, b, transposed: true)
      var first = 0
      for count in [1, 16, 2, 31, 17] {
        table.multiply(
          apart.rows(first..<first + count), a.rows(first..<first + count), b, transposed: true)
        first += count
      }
      #expect(first == 67 && together.doubles == apart.doubles, "\(dtype)")
    }
  }

  /// Codes give what their decoded weights give: whole blocks, rows that begin within a block, an odd number of codes,
  /// scales plain, nested, tiny and 0, and the types that weights had before.
  @Test(arguments: Table.all, [false, true]) func codesAreTheirWeights(table: Table, isDouble: Bool) {
    var random = TestRandom(seed: 4)
    for columns in [128, 192, 100, 67] {
      for original in [DType.bfloat16, .float16, .float32] {
        let values = random.tensor([70, columns], .float32)
        for index in 0..<64 {
          values.set(3 * 64 + index, 0)
          if !isDouble { values.set(5 * 64 + index, random.float() * 0x1p-125) }
        }
        let weights = NF4Tensor.quantize(values.converted(to: original), double: isDouble)
        let decoded = Tensor(weights.shape, .bfloat16).matrix
        Ops.decodeNF4(weights, rows: 0..<70, columns: 0..<columns, into: decoded)
        for transposed in [false, true] {
          // Rows 2 ..< 67 of the weights; a slice of their columns where k runs over rows.
          let left = transposed ? 0 : min(64, columns - 3)
          let (outputs, k) = transposed ? (65, columns) : (columns - left, 65)
          let a = random.matrix((20, k), .bfloat16, margin: 1)
          let found = Tensor([20, outputs], .float32).matrix
          let expected = Tensor([20, outputs], .float32).matrix
          table.multiply(
            expected, a, decoded.rows(2..<67).columns(left..<columns), transposed: transposed)
          weights.withKernelsView { view in
            table.multiply(
              found,
              [
                tiles_term(
                  a: a.input(), dense: kernels_in(at: nil, stride: 0, type: 0), nf4: view, first_row: 2,
                  first_column: left, k: k, transposed: transposed ? 1 : 0)
              ])
          }
          #expect(found.doubles == expected.doubles, "[70, \(columns)] of \(original), \(transposed)")
        }
      }
    }
  }

  @Test(arguments: Table.all) func transposes(table: Table) {
    var random = TestRandom(seed: 5)
    for (rows, columns) in [(1, 1), (32, 16), (75, 50), (33, 100)] {
      let x = random.matrix((rows, columns), .bfloat16, margin: 3)
      let out = random.matrix((columns, rows), .bfloat16, margin: 2)
      table.functions.pointee.transpose(out.output(), x.input(), rows, columns)
      for row in 0..<rows {
        for column in 0..<columns where out[column, row] != x[row, column] {
          Issue.record("[\(rows), \(columns)]: element \(row), \(column)")
        }
      }
      let wide = random.matrix((rows, columns), .float32, margin: 3)
      let sum = random.matrix((columns, rows), .float32, margin: 1)
      let before = sum.doubles
      table.functions.pointee.add_transposed(sum.output(), wide.input(), 1, rows, columns)
      for row in 0..<rows {
        for column in 0..<columns {
          let expected = Float(before[column * rows + row]) + wide[row, column]
          if sum[column, row] != expected { Issue.record("sum [\(rows), \(columns)]: \(row), \(column)") }
        }
      }
    }
  }
}
