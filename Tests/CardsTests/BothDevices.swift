import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Testing

/// The same operands in the processor's memory and on an emulated card.
struct BothDevices {
  let card = CardDevice.emulated(order: 5)
  private(set) var seed: UInt64 = 1

  /// Normal numbers, the rows `margin` elements apart.
  mutating func matrix(_ rows: Int, _ columns: Int, _ dtype: DType = .float32, margin: Int = 3) -> Both<
    Matrix
  > {
    seed += 1
    let whole = Tensor.normal([max(rows, 1), columns + margin], dtype, seed: seed)
    func view(_ tensor: Tensor) -> Matrix { tensor.matrix.rows(0..<rows).columns(0..<columns) }
    return Both(cpu: view(whole), card: view(whole.on(card)))
  }

  mutating func tensor(_ shape: [Int], _ dtype: DType = .float32) -> Both<Tensor> {
    seed += 1
    let tensor = Tensor.normal(shape, dtype, seed: seed)
    return Both(cpu: tensor, card: tensor.on(card))
  }
}

struct Both<Operand> {
  let cpu, card: Operand

  func map<Other>(_ body: (Operand) -> Other) -> Both<Other> { Both<Other>(cpu: body(cpu), card: body(card)) }
}

extension Matrix {
  /// The elements row by row, wherever they lie.
  var elements: [Float] {
    let dense = Tensor([rows, columns], .float32, on: device)
    Ops.convert(dense.matrix, self)
    return dense.floats
  }
}

/// Expects the same of both, but for what other orders of sums and other exponentials cost: a few units of float32, or a unit
/// of a narrower type.
func expectEqual(
  _ both: Both<Matrix>, relative: Float = 2e-5, roundings: Float = 1, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let expected = both.cpu.elements
  let unit: Float = both.cpu.dtype == .float32 ? relative : roundings * 0x1p-7
  let largest = expected.map(\.magnitude).max() ?? 0
  assertClose(
    both.card.elements, expected, Tolerance(relative: unit, absolute: unit * largest), name,
    sourceLocation: sourceLocation)
}

func expectEqual(
  _ both: Both<Tensor>, relative: Float = 2e-5, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectEqual(
    both.map { $0.reshaped([1, $0.count]).matrix }, relative: relative, name, sourceLocation: sourceLocation)
}
