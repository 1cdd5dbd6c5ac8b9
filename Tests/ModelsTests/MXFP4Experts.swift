import FireflyTensors
import FireflyTestSupport

/// Experts as gpt-oss's folders have them in MXFP4.
enum MXFP4Experts {
  /// - Parameter weight: `[E, in, out]` float32
  /// - Returns: codes `[E, out, in/32, 16]` and scales `[E, out, in/32]`, and the weight of these numbers.
  static func packed(_ weight: Tensor) -> (blocks: Tensor, scales: Tensor, decoded: Tensor) {
    let (experts, inputs, outputs) = (weight.shape[0], weight.shape[1], weight.shape[2])
    let rows = transposed(weight.floats, experts, inputs, outputs)  // [E·out, in]
    let encoded = BlockFormat.mxfp4.encode(Tensor(rows, [experts * outputs, inputs]))
    let decoded = Tensor([experts * outputs, inputs], .float32)
    BlockFormat.mxfp4.decode(encoded, into: decoded)
    let all = bytes(encoded)
    let blocks = stride(from: 0, to: all.count, by: 17).map { Array(all[$0..<$0 + 17]) }
    return (
      Tensor(
        bytes: blocks.flatMap { neighbours(Array($0.dropFirst())) }, [experts, outputs, inputs / 32, 16]),
      Tensor(bytes: blocks.map { $0[0] }, [experts, outputs, inputs / 32]),
      Tensor(transposed(decoded.floats, experts, outputs, inputs), weight.shape)
    )
  }

  /// A byte of elements i and i + 16 each becomes one of elements 2i and 2i + 1 each.
  private static func neighbours(_ codes: [UInt8]) -> [UInt8] {
    let elements = codes.map { $0 & 15 } + codes.map { $0 >> 4 }
    return (0..<16).map { elements[2 * $0] | elements[2 * $0 + 1] << 4 }
  }

  private static func transposed(_ values: [Float], _ count: Int, _ rows: Int, _ columns: Int) -> [Float] {
    (0..<count).flatMap { matrix in
      (0..<columns).flatMap { column in
        (0..<rows).map { values[(matrix * rows + $0) * columns + column] }
      }
    }
  }
}
