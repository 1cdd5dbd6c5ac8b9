/// What `linear` does with its result while the part that a task has computed is in the cache.
///
/// What follows a product and needs no other columns of a row is spared a pass over memory that way. Results are those of the
/// operations one after another.
package enum LinearFinish: Sendable {
  /// Nothing more: y `[T, O]` is the result.
  case none
  /// y `[T, O]` float32 = x `[T, O]` float32 + scale·result: a residual connection.
  case added(to: Matrix, scale: Float)
  /// Beside y, `into` = f(y), or where it is half as wide f(gate)·up with y = [gate | up]; both c.
  case activated(into: Matrix, Activation)
  /// Of y `[T, O]` the first `columns`, whole heads, are turned by their rows' angles: those of queries and keys.
  case rotated(columns: Int, Rotation)

  /// Of some of the rows.
  func rows(_ range: Range<Int>) -> LinearFinish {
    switch self {
    case .none: .none
    case .added(let x, let scale): .added(to: x.rows(range), scale: scale)
    case .activated(let into, let activation): .activated(into: into.rows(range), activation)
    case .rotated(let columns, let rotation): .rotated(columns: columns, rotation.rows(range))
    }
  }

  /// Bytes that it reads and writes beside y.
  var bytes: Int {
    switch self {
    case .none, .rotated: 0
    case .added(let x, _): 2 * x.byteCount
    case .activated(let into, _): into.byteCount
    }
  }
}

/// How the heads of some rows turn by their positions.
package struct Rotation: Sendable {
  package let headDim: Int
  /// Elements of a head that turn; those behind them stay.
  package let rotaryDim: Int
  /// [T, rotaryDim/2] float32
  package let cos, sin: Tensor
  package let turn: RotaryTurn

  package init(headDim: Int, rotaryDim: Int, cos: Tensor, sin: Tensor, turn: RotaryTurn) {
    self.headDim = headDim
    self.rotaryDim = rotaryDim
    self.cos = cos
    self.sin = sin
    self.turn = turn
  }

  /// Of some of the rows.
  func rows(_ range: Range<Int>) -> Rotation {
    Rotation(
      headDim: headDim, rotaryDim: rotaryDim, cos: cos.slice(range), sin: sin.slice(range), turn: turn)
  }
}

/// What `linearInputGradient` makes of dx, which is summed in float32.
package enum InputGradientFinish: Sendable {
  /// Nothing more: dx `[T, in]`, float32 or rounded to the compute type.
  case none
  /// The layers' input was f(z), or f(gate)·up with z = [gate | up] twice as wide: dz `[T, F]` or `[T, 2F]` c in the
  /// place of dx.
  case activation(of: Matrix, Activation)

  /// Of some of the rows.
  func rows(_ range: Range<Int>) -> InputGradientFinish {
    switch self {
    case .none: .none
    case .activation(let z, let activation): .activation(of: z.rows(range), activation)
    }
  }

  /// Of what it makes; nil: as many as dx has.
  package var columns: Int? { operand?.columns }

  /// The matrix that it reads.
  var operand: Matrix? {
    switch self {
    case .none: nil
    case .activation(let z, _): z
    }
  }

  /// Bytes that it reads and writes beside a dx.
  var bytes: Int {
    switch self {
    case .none: 0
    case .activation(let z, _): 2 * z.byteCount
    }
  }
}

/// The part of a linear's input gradient that comes through its low-rank pairs: m ⊙ (dLow·A).
package struct LowRankGradient: Sendable {
  /// dLow `[T, Σr]` c
  package let low: Matrix
  /// A `[Σr, in]` c
  package let a: Matrix
  /// m; nil: nothing was dropped.
  package let dropout: DropoutBits?

  package init(low: Matrix, a: Matrix, dropout: DropoutBits?) {
    self.low = low
    self.a = a
    self.dropout = dropout
  }

  var flop: Double { 2 * Double(low.rows * low.columns * a.columns) }

  /// Of some rows and inputs.
  func block(_ rows: Range<Int>, _ columns: Range<Int>) -> LowRankGradient {
    LowRankGradient(
      low: low.rows(rows), a: a.columns(columns),
      dropout: dropout?.at(row: rows.lowerBound, column: columns.lowerBound))
  }
}

/// Two of the products of a low-rank pair's backward, of y += low·Bᵀ: dB += dyᵀ·low, dLow = scale·dy·B.
package struct LowRankStep: Sendable {
  /// `[out, r]` float32
  package let dB: Matrix
  /// `[T, r]` c
  package let dLow: Matrix
  /// `[T, out]` c
  package let dy: Matrix
  /// `[T, r]` c
  package let low: Matrix
  /// `[out, r]` c
  package let b: Matrix
  package let scale: Float

  package init(dB: Matrix, dLow: Matrix, dy: Matrix, low: Matrix, b: Matrix, scale: Float) {
    (self.dB, self.dLow, self.dy, self.low, self.b, self.scale) = (dB, dLow, dy, low, b, scale)
  }

  var rank: Int { b.columns }
  var flop: Double { 4 * Double(dy.rows) * Double(dy.columns) * Double(rank) }
}
