/// The matrix of a linear layer, `[out, in]`, as products read it: frozen, or where all weights are trained a copy of the
/// values in the compute type.
public enum LinearWeight: Sendable {
  case dense(Tensor)
  case nf4(NF4Tensor)

  package var device: any Device { storage.device }

  var storage: Storage {
    switch self {
    case .dense(let tensor): tensor.storage
    case .nf4(let tensor): tensor.codes.storage
    }
  }
}

/// One of the linear layers that read the same rows: a frozen weight and, with an adapter, its B.
public struct LinearPart: Sendable {
  public var weight: LinearWeight
  /// `[outputs, r]`
  public var adapterB: Tensor?
  public var outputs: Int
  public var inputs: Int

  public init(weight: LinearWeight, adapterB: Tensor? = nil, outputs: Int, inputs: Int) {
    self.weight = weight
    self.adapterB = adapterB
    self.outputs = outputs
    self.inputs = inputs
  }
}

/// A weight as a device reads it row by row; its own affair.
package protocol RowWeightForm: Sendable {}

/// The rows of a weight that belong to each of several heads.
public struct HeadWeights: Sendable {
  /// `[rows, columns]`
  public let matrix: Matrix
  public let heads: Int
  /// Of the first head.
  public let rows: Range<Int>
  /// From one head's rows to the next one's; 0: all heads have the same.
  public let step: Int

  public init(_ matrix: Matrix, heads: Int, rows: Range<Int>, step: Int) {
    precondition(
      heads > 0 && step >= 0 && rows.lowerBound >= 0 && rows.upperBound + (heads - 1) * step <= matrix.rows,
      "rows \(rows) and each \(step) on for \(heads) heads of [\(matrix.rows), \(matrix.columns)]")
    self.matrix = matrix
    self.heads = heads
    self.rows = rows
    self.step = step
  }

  func of(_ head: Int) -> Matrix {
    matrix.rows(rows.lowerBound + head * step..<rows.upperBound + head * step)
  }
}
