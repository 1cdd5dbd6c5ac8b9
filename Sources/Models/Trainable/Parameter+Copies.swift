import FireflyTensors

// What a model computes with follows the parameters' values.

/// A trained matrix and its copy in the compute type, which products read; in float32 that is the value itself.
struct TrainedMatrix {
  let parameter: Parameter
  let copy: Tensor

  /// `parametersChanged` comes next.
  init(_ parameter: Parameter, compute: DType) {
    let value = parameter.value
    self.parameter = parameter
    copy =
      parameter.copy
      ?? (compute == value.dtype ? value : Tensor(value.shape, compute, on: parameter.gradient.device))
  }

  /// Renews the copy from the value. One in the arena is renewed there: the value may not be whole.
  func parametersChanged() {
    guard parameter.copy == nil, copy.dtype != parameter.value.dtype else { return }
    copy.follow(parameter.value)
  }
}

extension Parameter {
  /// Renews `near` from the value.
  func renewNear() {
    if near.device !== value.device { near.copy(value) }
  }
}

extension Tensor {
  /// Elements that are rounded on one device before they move to another.
  private static let piece = 1 << 22

  /// Takes a value's elements, rounded to this tensor's type. From another device they come rounded, a piece at a time.
  func follow(_ value: Tensor) {
    guard device !== value.device else { return Ops.convert(matrix, value.matrix) }
    let (own, from) = (reshaped([count]), value.reshaped([count]))
    for start in stride(from: 0, to: count, by: Tensor.piece) {
      let range = start..<min(start + Tensor.piece, count)
      own.slice(range).copy(from.slice(range).inType(dtype))
    }
  }
}
