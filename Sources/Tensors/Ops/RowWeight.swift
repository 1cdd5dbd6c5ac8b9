/// A dense weight as generation reads it, row by row, in the form that its device reads fastest.
package struct RowWeight: Sendable {
  private let weight: Tensor
  let form: any RowWeightForm

  /// - Parameter weight: `[out, in]` c.
  package init(_ weight: Tensor) {
    Ops.checkCompute(weight.dtype)
    precondition(weight.shape.count == 2, "a weight of shape \(weight.shape)")
    self.weight = weight
    form = weight.device.prepareRows(weight)
  }

  var storage: Storage { weight.storage }
  var shape: [Int] { weight.shape }

  /// Bytes that a product reads of `weight` once it is in this form.
  package static func byteCount(of weight: Tensor) -> Int { weight.device.rowWeightBytes(weight) }
}
