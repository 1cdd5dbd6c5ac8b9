extension Tensor {
  /// The same elements on `device`: this tensor if it lies there, otherwise a copy.
  package func on(_ device: any Device) -> Tensor {
    if self.device === device { return self }
    let copy = Tensor(shape, dtype, on: device)
    copy.copy(self)
    return copy
  }

  /// Overwrites the elements with those of `other`, of one type and count, which may lie on another device.
  package func copy(_ other: Tensor) {
    precondition(
      dtype == other.dtype && count == other.count, "\(other.shape) \(other.dtype) into \(shape) \(dtype)")
    other.withHostBytes { device.upload($0, to: pointer) }
  }

  /// Overwrites the elements with those whose bytes these are.
  package func copy(bytes: ArraySlice<UInt8>) {
    precondition(bytes.count == byteCount, "\(bytes.count) bytes into \(shape) \(dtype)")
    bytes.withUnsafeBytes { device.upload($0, to: pointer) }
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
