import FireflyTensors

/// A part of one of the files' tensors, under a name of its own: an expert's matrix of those that lie in one tensor.
package struct TensorPart: Sendable {
  /// Under the part's name.
  let stored: StoredTensor
  /// The files' tensors that hold it; two where its codes and their scales lie apart.
  package let holders: [String]
  /// Where element [i, j] stands in the first of these: first + i·steps[0] + j·steps[1].
  let first: Int
  let steps: [Int]

  package var name: String { stored.info.name }

  /// Writes the part's values to their places in the holder, both float32.
  package func put(_ values: Tensor, into holder: Tensor) {
    let (from, to) = (values.floats, holder.floatPointer)
    let columns = steps.count == 1 ? 1 : values.columns
    for (row, start) in stride(from: 0, to: from.count, by: columns).enumerated() {
      for column in 0..<columns {
        to[first + row * steps[0] + column * (steps.count == 1 ? 0 : steps[1])] = from[start + column]
      }
    }
  }
}
