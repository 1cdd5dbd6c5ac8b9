import FireflyTensors

/// Of what a linear layer has read so far, the sum of the squares of each input.
final class InputSums {
  private var squares: [Double]
  private(set) var rows = 0

  init(inputs: Int) { squares = [Double](repeating: 0, count: inputs) }

  func add(_ x: Matrix) {  // [T, in]
    let values = Tensor([x.rows, x.columns], .float32, on: x.device)
    Ops.convert(values.matrix, x)
    let floats = values.floats
    for row in 0..<x.rows {
      for column in 0..<x.columns {
        let value = Double(floats[row * x.columns + column])
        squares[column] += value * value
      }
    }
    rows += x.rows
  }

  var means: [Float]? { rows > 0 ? squares.map { Float($0 / Double(rows)) } : nil }
}
