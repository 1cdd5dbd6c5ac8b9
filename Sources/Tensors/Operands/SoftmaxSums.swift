/// What is known of the softmax of rows whose columns come panel by panel (Milakov & Gimelshein, 2018): the largest logit so
/// far, and the sum of exponentials below it.
package struct SoftmaxSums: Sendable {
  /// A column to each row.
  package let labels: [Int32]
  /// [N] float32
  package let largest: Tensor
  /// Columns of the largest, of equal ones the first: [N] int32.
  package let largestAt: Tensor
  /// Without the label's own exponential: [N] float32.
  package let others: Tensor
  /// The labels' logits: [N] float32.
  package let label: Tensor

  /// Of no panel yet.
  ///
  /// - Parameters:
  ///   - labels: all of them targets.
  ///   - columns: of all panels together.
  package init(labels: [Int32], columns: Int, on device: any Device) {
    for label in labels { precondition(label >= 0 && label < columns, "label \(label) of \(columns)") }
    let count = labels.count
    self.init(
      labels: labels,
      largest: Tensor([Float](repeating: -.infinity, count: count), [count], on: device),
      largestAt: Tensor.zeros([count], .int32, on: device),
      others: Tensor.zeros([count], .float32, on: device), label: Tensor.zeros([count], .float32, on: device))
  }

  package init(labels: [Int32], largest: Tensor, largestAt: Tensor, others: Tensor, label: Tensor) {
    self.labels = labels
    self.largest = largest
    self.largestAt = largestAt
    self.others = others
    self.label = label
  }

  /// Whether a row's label is its largest logit, of equal ones the first.
  package var areLabelsLargest: [Bool] {
    largestAt.withHostBytes { bytes in zip(labels, bytes.bindMemory(to: Int32.self)).map { $0 == $1 } }
  }
}
