import FireflyTensors
import FireflyTestSupport
import Testing

/// Matrices of GGUF blocks: decoded as ggml decodes them, multiplied as they lie. On every table.
@Suite struct BlockProductTests {
  private struct Case: CustomTestStringConvertible {
    let format: BlockFormat
    let variant: Variant
    var testDescription: String { "\(format), \(variant)" }
  }

  private static let cases = BlockFormat.allCases.flatMap { format in
    Variant.all.map { Case(format: format, variant: $0) }
  }

  private static let onTiles = BlockFormat.allCases.flatMap { format in
    Variant.products.filter(\.isOnTiles).map { Case(format: format, variant: $0) }
  }

  /// The fixture's three blocks in turn; float32 values in the model's order of rows.
  private func matrix(
    _ format: BlockFormat, rows: Int, turning: Int = 0
  ) throws -> (blocks: BlockTensor, values: [Float]) {
    let fixture = try Fixture("blocks")
    let name = "\(format)".uppercased()
    let (bytes, values) = (
      bytes(try fixture.tensor("\(name).bytes")), try fixture.tensor("\(name).values").floats
    )
    // 5 small blocks, or 3 of 256: neither whole groups of 256 nor a power of two.
    let perRow = format.elements == 32 ? 11 : 3
    let count = rows * perRow
    let order = (0..<count).map { ($0 * 7 + $0 / 5) % 3 }
    let all = order.flatMap { bytes[$0 * format.bytes..<($0 + 1) * format.bytes] }
    let storage = Tensor(bytes: all, [all.count])
    let columns = perRow * format.elements
    let inFile = order.flatMap { values[$0 * format.elements..<($0 + 1) * format.elements] }
    let ordered = (0..<rows).flatMap { row in
      let place = turning == 0 ? row : llamaRow(row, turning)
      return inFile[place * columns..<(place + 1) * columns]
    }
    return (BlockTensor(bytes: storage, format: format, shape: [rows, columns], turning: turning), ordered)
  }

  /// llama.cpp's place of a row: of a head first row 0, then that half a head on, then row 1.
  private func llamaRow(_ row: Int, _ headDim: Int) -> Int {
    let (head, inHead) = row.quotientAndRemainder(dividingBy: headDim)
    let place = (0..<headDim / 2).flatMap { [$0, $0 + headDim / 2] }.firstIndex(of: inHead) ?? -1
    return head * headDim + place
  }

  @Test(arguments: cases) private func anyRectangleIsDecoded(_ test: Case) throws {
    for turning in [0, 4] {
      let (blocks, values) = try matrix(test.format, rows: 8, turning: turning)
      let columns = blocks.inputs
      for (rows, part) in [(0..<8, 0..<columns), (3..<5, 32..<256), (1..<8, 37..<301), (7..<8, 5..<11)] {
        let out = Tensor([rows.count, part.count], test.variant.dtype)
        test.variant.run { Ops.decodeBlocks(blocks, rows: rows, columns: part, into: out.matrix) }
        let expected = rows.flatMap { row in part.map { values[row * columns + $0] } }
        let rounded = Tensor(expected, out.shape).converted(to: test.variant.dtype)
        assertClose(out.asFloats, rounded.asFloats, .exact, "\(rows) × \(part), heads of \(turning)")
      }
    }
  }

  /// Up to eight rows: each weight as it is decoded to the rows' type, summed in float32.
  @Test(arguments: cases) private func fewRowsAreTheExactProduct(_ test: Case) throws {
    let (blocks, values) = try matrix(test.format, rows: 6, turning: 6)
    let weights = Tensor(values, blocks.shape).converted(to: test.variant.dtype).asFloats
    for m in [1, 3, 8] {
      let x = Tensor.normal([m, blocks.inputs], test.variant.dtype, seed: UInt64(m))
      let y = product(x, blocks, test.variant)
      expectWithin(y, x, weights) { _, _, size in 2e-6 * size }
    }
  }

  /// While generating, bfloat16 rows are rounded to 8 bits: half of 1/127 of the largest of each 32 at most.
  @Test(arguments: cases) private func roundedRowsStayWithinTheirRounding(_ test: Case) throws {
    let (blocks, values) = try matrix(test.format, rows: 6)
    for m in 1...8 {
      let x = Tensor.normal([m, blocks.inputs], test.variant.dtype, seed: UInt64(m))
      let y = product(x, blocks, test.variant, rowByRow: true)
      let (a, inputs) = (x.asFloats, blocks.inputs)
      let rounds = test.variant.dtype == .bfloat16
      var differs = false
      expectWithin(y, x, values) { row, output, size in
        guard rounds else { return 2e-6 * size }
        var lost = 0.0
        for start in stride(from: 0, to: inputs, by: 32) {
          let largest = a[row * inputs + start..<row * inputs + start + 32].map(abs).max() ?? 0
          let part = values[output * inputs + start..<output * inputs + start + 32]
          lost += part.reduce(0) { $0 + Double(abs($1)) } * Double(largest) / 254
        }
        differs = differs || lost > 2e-5 * size
        return lost + 2e-5 * size
      }
      #expect(differs == rounds)
    }
  }

  @Test(arguments: cases + onTiles) private func manyRowsAndTheirGradientAreThoseOfTheDecodedMatrix(
    _ test: Case
  ) throws {
    let (blocks, values) = try matrix(test.format, rows: 40, turning: 8)
    let dense = Tensor(values, blocks.shape).converted(to: test.variant.dtype)
    let x = Tensor.normal([21, blocks.inputs], test.variant.dtype, seed: 2)
    let dy = Tensor.normal([21, 40], test.variant.dtype, seed: 3)
    let results = [LinearWeight.blocks(blocks), .dense(dense)].map { weight in
      let (y, dx) = (Tensor([21, 40], .float32), Tensor([21, blocks.inputs], .float32))
      let part = LinearPart(weight: weight, outputs: 40, inputs: blocks.inputs)
      test.variant.run {
        Ops.linear(y.matrix, x.matrix, parts: [part], low: [nil])
        Ops.linearInputGradient(dx.matrix, dy.matrix, parts: [part], accumulate: false)
      }
      return (y: y.floats, dx: dx.floats)
    }
    assertClose(results[0].y, results[1].y, .share(1e-6, ofLargest: results[1].y), "y")
    assertClose(results[0].dx, results[1].dx, .share(1e-6, ofLargest: results[1].dx), "dx")
  }

  /// What the server relies on: an answer does not depend on what is answered beside it, on tiles neither, which have
  /// sixteen rows together, or eight and more of those that are left.
  @Test(arguments: cases + onTiles) private func aRowDoesNotDependOnItsCompany(_ test: Case) throws {
    let (blocks, _) = try matrix(test.format, rows: 70, turning: 10)
    let x = Tensor.normal([29, blocks.inputs], test.variant.dtype, seed: 3)
    let alone = (0..<29).flatMap { row in
      product(x.slice(row..<row + 1), blocks, test.variant, rowByRow: true).floats
    }
    for count in [8, 11, 16, 20, 29] {
      let found = product(x.slice(0..<count), blocks, test.variant, rowByRow: true).floats
      #expect(found == Array(alone[..<(count * 70)]), "\(count) rows")
    }
  }

  /// Rows in 8 bits give the same on every instruction set.
  @Test(arguments: BlockFormat.allCases) func tablesAgree(_ format: BlockFormat) throws {
    let (blocks, _) = try matrix(format, rows: 21)
    let x = Tensor.normal([9, blocks.inputs], .bfloat16, seed: 5)
    let results = (InstructionSet.names + InstructionSet.namesForTests).map { isa in
      product(x, blocks, Variant(isa: isa, dtype: .bfloat16), rowByRow: true).floats
    }
    for (index, result) in results.enumerated() { #expect(result == results[0], "set \(index)") }
  }

  @Test(arguments: InstructionSet.namesTested) func nonFiniteRowsAreSeen(_ isa: String) throws {
    let (blocks, _) = try matrix(.q4_K, rows: 3)
    let variant = Variant(isa: isa, dtype: .bfloat16)
    for bad in [Float.nan, .infinity] {
      var values = [Float](repeating: 1, count: 2 * blocks.inputs)
      values[blocks.inputs + 70] = bad
      let x = Tensor(values, [2, blocks.inputs]).converted(to: .bfloat16)
      let y = product(x, blocks, variant, rowByRow: true).floats
      #expect(y[..<3].allSatisfy(\.isFinite) && y[3...].allSatisfy { !$0.isFinite })
    }
  }

  @Test func anEmbeddingIsRowsOfBlocks() throws {
    let (blocks, values) = try matrix(.q6_K, rows: 9)
    let out = Tensor([4, blocks.inputs], .float32)
    Ops.embed(out.matrix, table: .blocks(blocks), tokens: [8, 0, 3, 3])
    let expected = [8, 0, 3, 3].flatMap { values[$0 * blocks.inputs..<($0 + 1) * blocks.inputs] }
    assertClose(out.floats, expected, .exact, "rows")
  }

  private func product(
    _ x: Tensor, _ blocks: BlockTensor, _ variant: Variant, rowByRow: Bool = false
  ) -> Tensor {
    let y = Tensor([x.rows, blocks.outputs], .float32)
    let part = LinearPart(weight: .blocks(blocks), outputs: blocks.outputs, inputs: blocks.inputs)
    variant.run { Ops.linear(y.matrix, x.matrix, parts: [part], low: [nil], rowByRow: rowByRow) }
    return y
  }

  /// y against x·weightsᵀ in Double; `bound` is given the row, the output and Σ |x·w|.
  private func expectWithin(
    _ y: Tensor, _ x: Tensor, _ weights: [Float], _ bound: (Int, Int, Double) -> Double
  ) {
    let (found, a, inputs) = (y.floats, x.asFloats, x.columns)
    for i in 0..<x.rows {
      for r in 0..<y.columns {
        let terms = (0..<inputs).map { Double(a[i * inputs + $0]) * Double(weights[r * inputs + $0]) }
        let (sum, size) = terms.reduce((0, 0)) { ($0.0 + $1, $0.1 + abs($1)) }
        let error = abs(Double(found[i * y.columns + r]) - sum)
        if !(error <= bound(i, r, size)) {
          Issue.record("row \(i), output \(r): \(found[i * y.columns + r]), expected \(sum) of \(size)")
        }
      }
    }
  }
}
