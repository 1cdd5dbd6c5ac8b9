import FireflyBase
import FireflyTensors

/// Of a matrix in MXFP4 whose codes and scales lie apart: where the scales are, and which of the rows are its own.
struct BlockScales: Sendable {
  let file: MappedFile
  /// A byte for each block of all rows.
  let range: Range<Int>
  /// The matrix's row i is row firstRow + i·step.
  let firstRow: Int
  let step: Int

  /// The matrix's blocks as GGUF has them: a scale, then 16 bytes, of which byte i has the code of element i in its low half
  /// and that of element i + 16 in its high half. In the folder it has those of elements 2i and 2i + 1.
  ///
  /// - Parameters:
  ///   - codes: of all rows.
  ///   - shape: [out, in]
  func joined(_ codes: UnsafeRawBufferPointer, shape: [Int]) -> Tensor {  // uint8 [bytes]
    let perRow = shape[1] / 32
    let scales = UnsafeRawBufferPointer(rebasing: file.bytes[range])
    let out = Tensor([shape[0] * perRow * 17], .uint8)
    let first = out.pointer.assumingMemoryBound(to: UInt8.self)
    Parallel.run(shape[0]) { row in
      for block in 0..<perRow {
        let source = (firstRow + row * step) * perRow + block
        let place = first + (row * perRow + block) * 17
        place[0] = scales[source]
        for pair in 0..<8 {
          let (early, late) = (codes[source * 16 + pair], codes[source * 16 + 8 + pair])
          place[1 + 2 * pair] = early & 15 | late << 4
          place[2 + 2 * pair] = early >> 4 | late & 0xf0
        }
      }
    }
    return out
  }
}
