extension Tensor {
  /// The same elements on `device`: this tensor if it lies there, otherwise a copy.
  package func on(_ device: any Device) -> Tensor {
    if self.device === device { return self }
    let copy = Tensor(shape, dtype, on: device)
    copy.overwrite(with: self)
    return copy
  }

  /// The elements become those of another tensor of this type and count, wherever it lies.
  package func overwrite(with other: Tensor) {
    precondition(
      dtype == other.dtype && count == other.count, "\(other.shape) of \(other.dtype) into \(shape)")
    other.withHostBytes { device.upload($0, to: pointer) }
  }
}

extension NF4Tensor {
  /// The same matrix on `device`: this one if it lies there, otherwise a copy.
  package func on(_ device: any Device) -> NF4Tensor {
    if codes.device === device { return self }
    let scales: Scales =
      switch scales {
      case .plain(let absmax): .plain(absmax: absmax.on(device))
      case .nested(let codes, let absmax, let map, let offset):
        .nested(
          codes: codes.on(device), absmax: absmax.on(device), map: map.on(device), offset: offset)
      }
    return NF4Tensor(
      codes: codes.on(device), shape: shape, scales: scales, originalDType: originalDType)
  }
}
