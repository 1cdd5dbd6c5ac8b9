/// The matrix of a linear layer, `[out, in]`, as products read it: frozen, or where all weights are trained a copy of the
/// values in the compute type.
package enum LinearWeight: Sendable {
  case dense(Tensor)
  case nf4(NF4Tensor)
  /// Of a device that `multipliesBlocks`.
  case blocks(BlockTensor)

  package var device: any Device { storage.device }

  var storage: Storage {
    switch self {
    case .dense(let tensor): tensor.storage
    case .nf4(let tensor): tensor.codes.storage
    case .blocks(let tensor): tensor.bytes.storage
    }
  }

  /// Bytes as held.
  package var byteCount: Int {
    switch self {
    case .dense(let tensor): tensor.byteCount
    case .nf4(let tensor): tensor.byteCount
    case .blocks(let tensor): tensor.byteCount
    }
  }

  package var outputs: Int { shape[0] }
  package var inputs: Int { shape[1] }

  package var shape: [Int] {
    switch self {
    case .dense(let tensor): tensor.shape
    case .nf4(let tensor): tensor.shape
    case .blocks(let tensor): tensor.shape
    }
  }

  /// Some of the outputs, sharing storage. Of NF4 they begin at a multiple of 16,384: where scales' own blocks do, whatever
  /// the width.
  package func rows(_ range: Range<Int>) -> LinearWeight {
    switch self {
    case .dense(let tensor): .dense(tensor.slice(range))
    case .nf4(let tensor): .nf4(tensor.rows(range))
    case .blocks(let tensor): .blocks(tensor.rows(range))
    }
  }

  /// What x's type must be; nil: any, as the weight is decoded to it.
  var dtype: DType? {
    if case .dense(let tensor) = self { tensor.dtype } else { nil }
  }
}

/// One of the linear layers that read the same rows: a weight, maybe a bias and, with an adapter, its B.
///
/// Its shapes are checked when it is made, once for all the products it takes part in.
package struct LinearPart: Sendable {
  package let weight: LinearWeight
  /// `[outputs, r]`
  package let adapterB: Tensor?
  /// `[outputs]` float32; added when y is rounded.
  package let bias: Tensor?
  package let outputs: Int
  package let inputs: Int
  /// What the rows' type must be; nil: any compute type.
  private let dtype: DType?
  /// r and the type of B; nil without an adapter.
  private let thin: (rank: Int, dtype: DType)?
  private let deviceID: ObjectIdentifier

  package init(
    weight: LinearWeight, adapterB: Tensor? = nil, bias: Tensor? = nil, outputs: Int, inputs: Int
  ) {
    precondition(weight.shape == [outputs, inputs], "weight \(weight.shape) for [\(outputs), \(inputs)]")
    if let adapterB {
      precondition(
        adapterB.shape.count == 2 && adapterB.shape[0] == outputs,
        "B \(adapterB.shape) for \(outputs) outputs")
    }
    if let bias {
      precondition(
        bias.count == outputs && bias.dtype == .float32, "bias \(bias.shape) for \(outputs) outputs")
    }
    self.weight = weight
    self.adapterB = adapterB
    self.bias = bias
    self.outputs = outputs
    self.inputs = inputs
    dtype = weight.dtype
    thin = adapterB.map { ($0.columns, $0.dtype) }
    let device = weight.device
    for tensor in [adapterB, bias] {
      if let tensor { precondition(tensor.device === device, "B or bias on \(tensor.device.name)") }
    }
    deviceID = ObjectIdentifier(device)
  }

  /// That x has its inputs as columns, and lies where the weight does.
  func check(columns: Int, of dtype: DType, on device: any Device) {
    precondition(columns == inputs, "\(columns) columns for \(inputs) inputs")
    precondition(self.dtype == nil || self.dtype == dtype, "\(dtype) rows for another type of weight")
    precondition(ObjectIdentifier(device) == deviceID, "rows on \(device.name), the weight elsewhere")
  }

  /// That h is x's, for this B.
  func check(_ h: Matrix, rows: Int, of dtype: DType) {
    guard let thin else { preconditionFailure("h for a part without an adapter") }
    precondition(
      h.columns == thin.rank && h.rows == rows && h.dtype == dtype && thin.dtype == dtype,
      "h [\(h.rows), \(h.columns)] \(h.dtype) for \(rows) rows of \(dtype), B of \(thin)")
  }
}

/// A weight as a device reads it row by row; its own affair.
package protocol RowWeightForm: Sendable {}

/// The rows of a weight that belong to each of several heads.
package struct HeadWeights: Sendable {
  /// `[rows, columns]`
  package let matrix: Matrix
  package let heads: Int
  /// Of the first head.
  package let rows: Range<Int>
  /// From one head's rows to the next one's; 0: all heads have the same.
  package let step: Int

  package init(_ matrix: Matrix, heads: Int, rows: Range<Int>, step: Int) {
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
