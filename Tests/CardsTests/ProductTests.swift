import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Testing

/// Products and linear layers on the emulated card against the processor's.
@Suite struct ProductTests {
  static let types = [DType.float32, .bfloat16]

  @Test(arguments: types, types) func products(_ type: DType, _ outType: DType) {
    guard outType == .float32 || outType == type else { return }
    var both = BothDevices()
    for (transposeA, transposeB, accumulate, k) in [
      (false, false, false, 19), (true, false, true, 19), (false, true, true, 7), (true, true, false, 1),
      (false, true, false, 0), (false, true, true, 0),
    ] {
      let a = transposeA ? both.matrix(k, 11, type) : both.matrix(11, k, type)
      let b = transposeB ? both.matrix(13, k, type) : both.matrix(k, 13, type)
      let out = both.matrix(11, 13, outType)
      for (out, a, b) in [(out.cpu, a.cpu, b.cpu), (out.card, a.card, b.card)] {
        Ops.matmul(
          out, a, b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate, scale: 0.5)
      }
      expectEqual(out, "product of depth \(k)")
    }
  }

  /// A dense and an NF4 weight side by side, each with or without an adapter, for few rows and many.
  @Test(arguments: types, [1, 8, 21, 65]) func linear(_ type: DType, _ rows: Int) {
    var both = BothDevices()
    let (inputs, outputs) = (72, [17, 24])
    let x = both.matrix(rows, inputs, type)
    let dense = both.tensor([outputs[0], inputs], type)
    let packed = NF4Tensor.quantize(Tensor.normal([outputs[1], inputs], .bfloat16, seed: 9), double: true)
    let (b, h) = (both.tensor([outputs[1], 4], type), both.matrix(rows, 4, type))
    let parts = Both(
      cpu: parts(.dense(dense.cpu), .nf4(packed), b.cpu, outputs, inputs),
      card: parts(.dense(dense.card), .nf4(packed.on(both.card)), b.card, outputs, inputs))
    for rowByRow in [false, true] {
      for outType in Set([DType.float32, type]) {
        let y = both.matrix(rows, outputs[0] + outputs[1], outType)
        Ops.linear(y.cpu, x.cpu, parts: parts.cpu, low: [nil, h.cpu], rowByRow: rowByRow)
        Ops.linear(y.card, x.card, parts: parts.card, low: [nil, h.card], rowByRow: rowByRow)
        // The processor's product of few rows may keep an NF4 weight in bfloat16 times its scale.
        expectEqual(y, relative: type == .float32 ? 2e-5 : 0x1p-7, "linear, row by row: \(rowByRow)")
      }
    }
    let (dy, dx) = (both.matrix(rows, outputs[0] + outputs[1], type), both.matrix(rows, inputs))
    for accumulate in [true, false] {
      Ops.linearInputGradient(dx.cpu, dy.cpu, parts: parts.cpu, accumulate: accumulate)
      Ops.linearInputGradient(dx.card, dy.card, parts: parts.card, accumulate: accumulate)
      expectEqual(dx, relative: type == .float32 ? 2e-5 : 0x1p-7, "linearInputGradient")
    }
  }

  private func parts(_ a: LinearWeight, _ b: LinearWeight, _ adapter: Tensor, _ outputs: [Int], _ inputs: Int)
    -> [LinearPart]
  {
    [
      LinearPart(weight: a, outputs: outputs[0], inputs: inputs),
      LinearPart(weight: b, adapterB: adapter, outputs: outputs[1], inputs: inputs),
    ]
  }

  @Test(arguments: [false, true]) func decodedWeightsHaveTheSameBits(_ double: Bool) {
    let card = CardDevice.emulated()
    for original in [DType.float32, .bfloat16, .float16] {
      let packed = NF4Tensor.quantize(Tensor.normal([9, 130], original, seed: 4), double: double)
      for type in ProductTests.types {
        for (rows, columns) in [(0..<9, 0..<130), (3..<8, 7..<100)] {
          let cpu = Tensor([rows.count, columns.count], type)
          let onCard = Tensor([rows.count, columns.count], type, on: card)
          Ops.decodeNF4(packed, rows: rows, columns: columns, into: cpu.matrix)
          Ops.decodeNF4(packed.on(card), rows: rows, columns: columns, into: onCard.matrix)
          #expect(cpu.matrix.elements == onCard.matrix.elements)
        }
      }
    }
  }

  @Test(arguments: types) func rowsOfAHead(_ type: DType) {
    var both = BothDevices()
    let weight = both.tensor([50, 40], type)
    for rows in [1, 3, 11] {
      let (x, y) = (both.matrix(rows, 40, type), both.matrix(rows, 50))
      Ops.multiplyRows(y.cpu, x.cpu, RowWeight(weight.cpu.converted(to: .float32).converted(to: type)))
      Ops.multiplyRows(y.card, x.card, RowWeight(weight.card))
      // The processor reads the weight in 8 bits.
      expectEqual(y, relative: 2e-2, "multiplyRows")
    }
    #expect(RowWeight.byteCount(of: weight.card) == weight.card.byteCount)
  }

  @Test(arguments: types, [false, true]) func headsProducts(_ type: DType, _ transposed: Bool) {
    var both = BothDevices()
    let (heads, inputs, outputs) = (3, 10, 7)
    let (own, columns) = transposed ? (outputs, inputs) : (inputs, outputs)
    let matrix = both.matrix(3 * (own + 2), columns, type)
    let (x, y) = (both.matrix(5, heads * inputs, type), both.matrix(5, heads * outputs, type))
    for step in [own + 2, 0] {
      for (x, y, matrix) in [(x.cpu, y.cpu, matrix.cpu), (x.card, y.card, matrix.card)] {
        let weights = HeadWeights(matrix, heads: heads, rows: 1..<1 + own, step: step)
        Ops.multiplyHeads(y, x, weights, transposed: transposed, accumulate: step == 0)
      }
      expectEqual(y, "multiplyHeads")
    }
  }
}
