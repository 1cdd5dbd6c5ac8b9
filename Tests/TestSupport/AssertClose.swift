import FireflyTensors
import Testing

/// How far a number may be from the expected one: |found − expected| ≤ relative·|expected| + absolute.
public struct Tolerance: Sendable {
  public var relative: Float
  public var absolute: Float

  /// - Parameters:
  ///   - relative: Of the expected number.
  ///   - absolute: In the numbers' own unit; for results near 0 that come from larger numbers.
  public init(relative: Float = 0, absolute: Float = 0) {
    self.relative = relative
    self.absolute = absolute
  }

  /// Units in the last place of float32, of the expected number.
  public static func ulps(_ count: Float, absolute: Float = 0) -> Tolerance {
    Tolerance(relative: count * 0x1p-23, absolute: absolute)
  }

  public static let exact = Tolerance()

  /// A share of the largest of the expected numbers: for results that come from sums of larger ones.
  public static func share(_ share: Float, ofLargest expected: [Float]) -> Tolerance {
    Tolerance(absolute: share * (expected.map(\.magnitude).max() ?? 0))
  }

  /// False for a NaN on either side; equal infinities pass.
  public func holds<Number: BinaryFloatingPoint>(_ found: Number, _ expected: Number) -> Bool {
    found == expected
      || (found - expected).magnitude <= Number(relative) * expected.magnitude + Number(absolute)
  }
}

/// Records an issue unless every number is within `tolerance`, NaN never being so, and says which one is the furthest off.
public func assertClose<Number: BinaryFloatingPoint>(
  _ found: [Number], _ expected: [Number], _ tolerance: Tolerance, _ name: String = "values",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.count == expected.count else {
    Issue.record(
      "\(name): \(found.count) numbers, expected \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  var wrong = 0
  var (worst, worstError) = (0, -Number.infinity)
  for i in found.indices where !tolerance.holds(found[i], expected[i]) {
    wrong += 1
    let distance = (found[i] - expected[i]).magnitude
    let error = distance.isNaN ? .infinity : distance
    if error > worstError { (worst, worstError) = (i, error) }
  }
  if wrong > 0 {
    Issue.record(
      """
      \(name): \(wrong) of \(found.count) beyond \(tolerance.relative) relative + \(tolerance.absolute); \
      furthest at \(worst): \(found[worst]), expected \(expected[worst])
      """, sourceLocation: sourceLocation)
  }
}

/// Compares shapes first, then every element as float32.
public func assertClose(
  _ found: Tensor, _ expected: Tensor, _ tolerance: Tolerance, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == expected.shape else {
    Issue.record(
      "\(name): shape \(found.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  assertClose(found.asFloats, expected.asFloats, tolerance, name, sourceLocation: sourceLocation)
}

/// Compares one number, NaN failing.
public func assertClose(
  _ found: Float, _ expected: Float, _ tolerance: Tolerance, _ name: String = "value",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  assertClose([found], [expected], tolerance, name, sourceLocation: sourceLocation)
}
