import FireflyTensors
import FireflyTestSupport
import Testing

/// One table and one compute type.
struct Variant: CustomTestStringConvertible, Sendable {
  let isa: String
  let dtype: DType

  static let all = of(InstructionSet.namesTested)
  /// With what multiplies matrices: oneDNN, and tiles.
  static let products = of(InstructionSet.namesOfProducts)
  /// With the imitation of tiles, which have products of a few rows too.
  static let fewRows = of(Set(InstructionSet.names + InstructionSet.namesOfProducts).sorted())
  /// With the kernels of attention that only some processors choose.
  static let attention = of(InstructionSet.namesOfAll)

  private static func of(_ names: [String]) -> [Variant] {
    names.flatMap { isa in [DType.float32, .bfloat16].map { Variant(isa: isa, dtype: $0) } }
  }

  var testDescription: String { "\(isa), \(dtype)" }
  /// Tiles sum over 32 elements at a time.
  var isOnTiles: Bool { isa.hasPrefix("amx") && dtype == .bfloat16 }
  /// What rounding a result to the compute type may cost: half a unit of bfloat16; in float32 a few of its own.
  var rounding: Float { dtype == .bfloat16 ? 0x1p-8 : 0x1p-20 }

  func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    try InstructionSet.with(isa, body)
  }
}

/// A matrix whose rows lie apart; what lies between them must stay as it is.
struct Strided {
  static let margin = 3
  static let sentinel: Float = -77

  let whole: Tensor
  let matrix: Matrix

  init(_ values: [Float], _ shape: [Int], _ dtype: DType) {
    let (rows, columns) = (shape[0], shape[1])
    var spread = [Float](repeating: Strided.sentinel, count: rows * (columns + Strided.margin))
    for r in 0..<rows {
      for c in 0..<columns { spread[r * (columns + Strided.margin) + c] = values[r * columns + c] }
    }
    whole = Tensor(spread, [rows, columns + Strided.margin]).converted(to: dtype)
    matrix = whole.matrix.columns(0..<columns)
  }

  /// Normal numbers.
  static func normal(_ shape: [Int], _ dtype: DType, seed: UInt64) -> Strided {
    Strided(Tensor.normal(shape, dtype, seed: seed).asFloats, shape, dtype)
  }

  static func zeros(_ shape: [Int], _ dtype: DType) -> Strided {
    Strided([Float](repeating: 0, count: shape[0] * shape[1]), shape, dtype)
  }

  /// The elements, after checking that nothing was written between the rows.
  func values(sourceLocation: SourceLocation = #_sourceLocation) -> [Float] {
    let all = whole.asFloats
    var values: [Float] = []
    for r in 0..<matrix.rows {
      let row = all[r * matrix.stride..<(r + 1) * matrix.stride]
      values += row.prefix(matrix.columns)
      #expect(
        row.dropFirst(matrix.columns).allSatisfy { $0 == Strided.sentinel }, "written beside row \(r)",
        sourceLocation: sourceLocation)
    }
    return values
  }
}

/// Column counts below, at and above every vector width.
let columnCounts = [1, 5, 16, 31, 32, 33, 100]

/// Checks gradient[i] against (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h for every i.
///
/// - Parameter tolerance: For float64 functions of float32 results; h is chosen for them.
func expectGradient(
  _ gradient: [Float], of function: ([Float]) -> Double, at x: [Float], step: Float = 0x1p-7,
  tolerance: Tolerance, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let differences = x.indices.map { i -> Float in
    var (above, below) = (x, x)
    above[i] += step
    below[i] -= step
    return Float((function(above) - function(below)) / Double(above[i] - below[i]))
  }
  assertClose(gradient, differences, tolerance, name, sourceLocation: sourceLocation)
}
