import CKernels
import Foundation

extension CPU {
  package func crossEntropy(
    _ losses: Tensor, logits: Matrix, labels: [Int32], gradient: Matrix?, weights: Tensor?
  ) {
    let k = InstructionSet.kernels
    labels.withUnsafeBufferPointer { labels in
      guard let labels = labels.baseAddress else { return }
      CPU.split(logits.rows, cost: 4 * logits.columns) { rows in
        let start = rows.lowerBound
        k.pointee.cross_entropy(
          losses.floatPointer + start, gradient?.output(from: start) ?? kernels_out(),
          logits.input(from: start), labels + start, weights.map { $0.floatPointer + start }, rows.count,
          logits.columns)
      }
    }
  }

  package var takesLogitPanels: Bool { true }

  package func addPanel(
    to sums: SoftmaxSums, exponentials: Matrix?, scaling scaled: Matrix?, logits: Matrix, firstColumn: Int
  ) {
    let k = InstructionSet.kernels
    sums.labels.withUnsafeBufferPointer { labels in
      guard let labels = labels.baseAddress else { return }
      CPU.split(logits.rows, cost: 4 * logits.columns) { rows in
        let start = rows.lowerBound
        k.pointee.add_softmax_panel(
          sums.kernelsView(from: start), exponentials?.output(from: start) ?? kernels_out(),
          scaled?.output(from: start) ?? kernels_out(), logits.input(from: start), labels + start,
          firstColumn, rows.count, logits.columns, scaled?.columns ?? 0)
      }
    }
  }

  package func crossEntropy(
    _ losses: Tensor, of sums: SoftmaxSums, gradient: Matrix?, labelRows: Matrix?, weights: Tensor?,
    cap: Float?
  ) {
    let (k, columns) = (InstructionSet.kernels, gradient?.columns ?? 1)
    CPU.split(sums.labels.count, cost: 2 * columns) { rows in
      let start = rows.lowerBound
      k.pointee.softmax_cross_entropy(
        losses.floatPointer + start, gradient?.output(from: start) ?? kernels_out(),
        sums.kernelsView(from: start), labelRows?.input(from: start) ?? kernels_in(),
        weights.map { $0.floatPointer + start }, cap ?? 0, rows.count, columns)
    }
  }

  /// log Σ exp(x) of a row of logits, which every token of an answer is asked for: exponentials by whole vectors, their sums in
  /// float32 within a piece and in float64 over the pieces.
  ///
  /// - Parameter x: not empty.
  package static func logSum(of x: [Float]) -> Double {  // [V]
    let (piece, length) = (1024, x.count)
    let count = (length + piece - 1) / piece
    let sums = SoftmaxSums(ofPieces: count)
    let k = InstructionSet.kernels
    sums.labels.withUnsafeBufferPointer { labels in
      x.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress, let labels = labels.baseAddress else { return }
        // Whole pieces are the rows of a matrix; what is left over, one more.
        func add(_ pieces: Range<Int>, columns: Int) {
          let first = pieces.lowerBound
          let logits = kernels_in(at: x + first * piece, stride: piece, type: DType.float32.code)
          k.pointee.add_softmax_panel(
            sums.kernelsView(from: first), kernels_out(), kernels_out(), logits, labels + first, 0,
            pieces.count, columns, 0)
        }
        add(0..<count - 1, columns: piece)
        add(count - 1..<count, columns: length - (count - 1) * piece)
      }
    }
    let (largest, others) = (sums.largest.floats, sums.others.floats)
    let most = Double(largest.max() ?? -.infinity)
    return most + log(zip(largest, others).reduce(0) { $0 + exp(Double($1.0) - most) * Double($1.1) })
  }

  package func isLargest(_ flags: Tensor, _ x: Matrix, columns: [Int32]) {
    let flags = flags.pointer.assumingMemoryBound(to: UInt8.self)
    CPU.split(x.rows, cost: x.columns) { rows in
      for row in rows {
        let (values, column) = (x.floatRow(row), Int(columns[row]))
        let value = values[column]
        var isLargest = !value.isNaN
        for c in 0..<column where !(values[c] < value) { isLargest = false }
        for c in column..<x.columns where !(values[c] <= value) { isLargest = false }
        flags[row] = isLargest ? 1 : 0
      }
    }
  }

  package func sumsOfSquares(_ tensors: [Tensor]) -> [Double] { tensors.map { sumOfSquares($0) } }

  private func sumOfSquares(_ x: Tensor) -> Double {
    let chunk = 65_536
    let (k, chunks) = (InstructionSet.kernels, (x.count + chunk - 1) / chunk)
    var sums = [Double](repeating: 0, count: chunks)
    sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      CPU.split(chunks, cost: chunk) { range in
        for i in range {
          sums[i] = k.pointee.sum_of_squares(x.floatPointer + i * chunk, min(chunk, x.count - i * chunk))
        }
      }
    }
    return sums.reduce(0, +)
  }

  package func hasNonFinite(_ x: Tensor) -> Bool {
    InstructionSet.kernels.pointee.has_non_finite(x.pointer, x.dtype.code, x.count) != 0
  }
}

extension SoftmaxSums {
  /// Of so many rows that have no label.
  fileprivate init(ofPieces count: Int) {
    self.init(
      labels: [Int32](repeating: -1, count: count),
      largest: Tensor([Float](repeating: -.infinity, count: count), [count]),
      largestAt: .zeros([count], .int32), others: .zeros([count], .float32), label: .zeros([count], .float32))
  }

  /// The sums from a row on.
  fileprivate func kernelsView(from row: Int) -> kernels_softmax {
    kernels_softmax(
      largest: largest.floatPointer + row,
      largest_at: largestAt.pointer.assumingMemoryBound(to: Int32.self) + row,
      others: others.floatPointer + row, label: label.floatPointer + row)
  }
}
