import CKernels
import FireflyBase

/// The matrix of a linear layer, `[out, in]`, as it is held; training leaves these as they are.
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
