import FireflyDoubles
import FireflyModels
import FireflyTensors
import FireflyText
import FireflyTraining
import Testing

@Suite struct ObjectiveTests {
  private let batches: [Batch]
  private let model: Transformer

  /// Two micro-batches of a tiny model with an adapter, the second with fewer targets.
  init() throws {
    model = try TinyRun().loaded()
    try model.attachAdapter(LoRAOptions(rank: 4), seed: 1)
    let samples = [(40, 2..<9), (12, 3..<4), (25, 5..<6)].enumerated().map { index, row in
      Sample(
        tokens: (0..<row.0).map { Int32(($0 * 37 + index * 11) % 250) }, targets: [row.1], line: index + 1)
    }
    batches = [Batch(samples[0...1]), Batch(samples[2...2])]
  }

  private var pass: Pass { Pass(seed: 3, step: 2, training: true, checkpointing: true) }

  /// The loss as it is defined, and the gradients of micro-batches whose targets count accordingly.
  @Test(arguments: LossReduction.allCases) func crossEntropyIsAMean(_ reduction: LossReduction) throws {
    #expect(batches.map(\.targetCount) == [8, 1])
    let divisors = reduction == .token ? [9, 9] : [8 * 2, 1 * 2]
    model.zeroGradients()
    var done: [Int] = []
    let loss = try CrossEntropy(reduction: reduction).accumulateGradients(batches, on: model, pass) {
      done.append($0)
    }
    let gradients = model.arena.gradients.floats
    #expect(done == [1, 2] && loss.balance == nil && gradients.contains { $0 != 0 })

    model.zeroGradients()
    var expected = 0.0
    for (index, batch) in batches.enumerated() {
      var pass = pass
      pass.microBatch = UInt64(index)
      let sum = model.accumulateGradients(
        tokens: batch.tokens, labels: batch.labels, starts: batch.starts,
        weights: [Float](repeating: 1 / Float(divisors[index]), count: batch.tokens.count), pass: pass)
      expected += sum.total.sum / Double(divisors[index])
    }
    #expect(loss.loss == expected)
    #expect(model.arena.gradients.floats == gradients)
  }

  @Test func aLossThatIsNoNumberNamesItsBatch() throws {
    let parameter = try #require(model.parameters.first { $0.name.contains("lora_B") })
    let nan = [Float](repeating: .nan, count: parameter.slot.count)
    Ops.convert(parameter.value.matrix, Tensor(nan, parameter.slot.shape).matrix)
    model.parametersChanged()
    var done = 0
    let error = #expect(throws: LossNotFinite.self) {
      try CrossEntropy(reduction: .token).accumulateGradients(batches, on: model, pass) { done = $0 }
    }
    #expect(error?.value.isNaN == true && error?.batch == batches[0] && done == 0)
  }
}
