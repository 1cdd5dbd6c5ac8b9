import FireflyBase

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

  /// float32 [N, columns]: the elements of row r evenly from ±`limits[r]`, each by a number of its own behind where `random`
  /// stands.
  package init(
    evenlyWithin limits: [Float], columns: Int, on device: any Device, _ random: CounterRandom
  ) {
    let values = [Float](unsafeUninitializedCapacity: limits.count * columns) { buffer, count in
      nonisolated(unsafe) let out = buffer
      Parallel.run(limits.count) { row in
        var random = CounterRandom(
          seed: random.seed, stream: random.stream, counter: random.counter &+ UInt64(row * columns))
        for c in 0..<columns {
          out.initializeElement(at: row * columns + c, to: (2 * random.float() - 1) * limits[row])
        }
      }
      count = limits.count * columns
    }
    self.init(values, [limits.count, columns], on: device)
  }
}
