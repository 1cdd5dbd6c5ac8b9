// Tensors in the processor's memory: where nothing else is said.

extension Tensor {
  /// Uninitialised.
  package init(_ shape: [Int], _ dtype: DType) { self.init(shape, dtype, on: .cpu) }

  package static func zeros(_ shape: [Int], _ dtype: DType) -> Tensor { zeros(shape, dtype, on: .cpu) }

  /// From float32 values, for tests and small tables.
  package init(_ values: [Float], _ shape: [Int]) { self.init(values, shape, on: .cpu) }

  /// uint8
  package init(bytes: [UInt8], _ shape: [Int]) {
    precondition(bytes.count == shape.reduce(1, *), "\(bytes.count) bytes for shape \(shape)")
    self.init(shape, .uint8)
    copyBytes(bytes)
  }
}

extension Storage {
  /// An uninitialised block, 64-byte aligned, with at least 64 readable bytes after its end.
  package convenience init(byteCount: Int) { self.init(byteCount: byteCount, on: .cpu) }

  /// A window on memory, read only: a part of a mapped file.
  ///
  /// - Parameter owner: keeps the bytes alive.
  package convenience init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.init(lending: UnsafeMutableRawBufferPointer(mutating: bytes), owner: owner)
  }

  /// A window on memory that is written to as well.
  ///
  /// - Parameter owner: keeps the bytes alive.
  package convenience init(lending bytes: UnsafeMutableRawBufferPointer, owner: AnyObject) {
    self.init(bytes.baseAddress ?? StoragePool.empty, byteCount: bytes.count, on: .cpu, owner: owner)
  }

  /// Returns the pool's free blocks to the system: after loading, or when shapes change for good.
  package static func releaseFreeMemory() { StoragePool.shared.drain() }

  /// How many blocks have been asked from the system so far: constant in the steady state of a step.
  package static var systemAllocations: Int { StoragePool.shared.systemAllocations }
}
