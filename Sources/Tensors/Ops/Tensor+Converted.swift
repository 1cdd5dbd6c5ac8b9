extension Tensor {
  /// A copy in another type or the same, as `Ops.convert` rounds.
  package func converted(to dtype: DType) -> Tensor {
    let out = Tensor(shape, dtype)
    Ops.convert(out.matrix, matrix)
    return out
  }
}
