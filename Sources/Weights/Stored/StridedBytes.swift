import FireflyBase
import FireflyTensors

/// Elements that are a view of a larger block: of so many bytes each, with steps between them in each dimension.
struct StridedBytes {
  let shape: [Int]
  let strides: [Int]
  /// Bytes of an element.
  let size: Int

  private var columns: Int { shape.last ?? 1 }
  private var rows: Int { shape.dropLast().reduce(1, *) }
  private var step: Int { strides.last ?? 1 }

  /// Writes them one after another.
  func copy(_ block: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) {
    guard let from = block.baseAddress, let to = out.baseAddress, rows * columns > 0 else { return }
    switch size {
    case 2: copy(from, to, as: UInt16.self)
    case 4: copy(from, to, as: UInt32.self)
    default:
      each { source, place in (to + place * size).copyMemory(from: from + source * size, byteCount: size) }
    }
  }

  private func copy<Word: BitwiseCopyable>(
    _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, as type: Word.Type
  ) {
    each { source, place in
      let word = from.loadUnaligned(fromByteOffset: source * size, as: type)
      to.storeBytes(of: word, toByteOffset: place * size, as: type)
    }
  }

  /// Rows that are copied together: where columns lie far apart, what is read of each is used for all of them.
  private static let rowsTogether = 32

  /// The place of each element in the block, and that in the copy.
  private func each(_ body: (_ source: Int, _ place: Int) -> Void) {
    let firsts = firstsOfRows()
    Parallel.run((rows + StridedBytes.rowsTogether - 1) / StridedBytes.rowsTogether) { group in
      let own = group * StridedBytes.rowsTogether..<min((group + 1) * StridedBytes.rowsTogether, rows)
      for column in 0..<columns {
        for row in own { body(firsts[row] + column * step, row * columns + column) }
      }
    }
  }

  /// Where each row's first element lies.
  private func firstsOfRows() -> [Int] {
    var index = [Int](repeating: 0, count: max(shape.count - 1, 0))
    return (0..<rows).map { _ in
      defer {
        for dimension in index.indices.reversed() {
          index[dimension] += 1
          if index[dimension] < shape[dimension] { break }
          index[dimension] = 0
        }
      }
      return zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }
}
