/// The order of the rows of q and k, where rows of a head turn together with the position in pairs: in transformers'
/// checkpoints the rows j and j + D/2, in llama.cpp's files of some architectures the rows 2j and 2j + 1.
package enum RotaryRows {
  /// Where a row of a checkpoint stands in the file.
  ///
  /// - Parameter headDim: the rows of a head, an even number.
  package static func inFile(_ row: Int, headDim: Int) -> Int {
    let (head, inHead) = row.quotientAndRemainder(dividingBy: headDim)
    let (half, index) = inHead.quotientAndRemainder(dividingBy: headDim / 2)
    return head * headDim + 2 * index + half
  }

  /// Where a row of the file stands in a checkpoint.
  ///
  /// - Parameter headDim: the rows of a head, an even number.
  package static func inCheckpoint(_ row: Int, headDim: Int) -> Int {
    let (head, inHead) = row.quotientAndRemainder(dividingBy: headDim)
    let (index, half) = inHead.quotientAndRemainder(dividingBy: 2)
    return head * headDim + half * (headDim / 2) + index
  }
}
