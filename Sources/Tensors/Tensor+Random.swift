extension Tensor {
  /// Uniform in ±0.05, the same for a seed: 61 random rows over and over, since nothing measured depends on more.
  package static func random(_ shape: [Int], _ dtype: DType, seed: UInt64) -> Tensor {
    let columns = shape.last ?? 1
    let rows = shape.dropLast().reduce(1, *)
    var random = CounterRandom(seed: seed)
    let source = Tensor((0..<61 * columns).map { _ in random.float() * 0.1 - 0.05 }, [61, columns])
    let result = Tensor(shape, dtype)
    Ops.gatherRows(result.matrix, source.converted(to: dtype).matrix, rows: (0..<rows).map { Int32($0 % 61) })
    return result
  }
}
