import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Testing

/// Losses by sequence, and gradients of losses that count differently.
@Suite struct BatchLossTests {
  static let names = ["gqa", "biased_tied", "gqa_nf4", "families/bloom"]

  private func weights(_ fixture: ModelFixture, _ each: (Int) -> Float) -> [Float] {
    zip(fixture.starts, fixture.starts.dropFirst()).enumerated().flatMap { sequence, bounds in
      [Float](repeating: each(sequence), count: Int(bounds.1 - bounds.0))
    }
  }

  private func gradients(_ fixture: ModelFixture, _ model: Transformer, _ weights: [Float]) -> [[Float]] {
    model.zeroGradients()
    _ = model.accumulateGradients(
      tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts, weights: weights,
      pass: Pass(training: false))
    return model.parameters.map(\.gradient.floats)
  }

  /// Each sequence's sum is that of its targets, and with or without gradients the same.
  @Test(arguments: names) func sumsOfSequences(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    // The second sequence has no target.
    var labels = fixture.labels
    for row in fixture.starts[1]..<fixture.starts[2] { labels[Int(row)] = -1 }
    let loss = model.loss(tokens: fixture.tokens, labels: labels, starts: fixture.starts)
    let scores = model.scores(tokens: fixture.tokens, labels: labels, starts: fixture.starts)
    var next = 0
    for (sequence, bounds) in zip(fixture.starts, fixture.starts.dropFirst()).enumerated() {
      let count = labels[Int(bounds.0)..<Int(bounds.1)].count { $0 >= 0 }
      let sum = scores[next..<next + count].reduce(0) { $0 + Double($1.loss) }
      #expect(loss.sequences[sequence] == LossSum(sum: sum, count: count))
      next += count
    }
    #expect(loss.sequences[1] == LossSum() && loss.sequences.count == fixture.starts.count - 1)
    #expect(loss.total.count == scores.count)
    let sum = loss.sequences.reduce(0) { $0 + $1.sum }
    #expect(abs(loss.total.sum - sum) <= 1e-12 * sum)

    let trained = model.accumulateGradients(
      tokens: fixture.tokens, labels: labels, starts: fixture.starts,
      weights: [Float](repeating: 0.5, count: labels.count), pass: Pass(training: false))
    #expect(trained == loss)
    let nothing = [Int32](repeating: -1, count: labels.count)
    let none = model.loss(tokens: fixture.tokens, labels: nothing, starts: fixture.starts)
    #expect(none.total == LossSum() && none.sequences == loss.sequences.map { _ in LossSum() })
  }

  /// The gradient of Σ weight·loss is the sum of each sequence's own, times its weight.
  @Test(arguments: names) func everySequenceCountsByItsWeight(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let factors: [Float] = [0.75, -0.5, 2]
    #expect(fixture.starts.count - 1 == factors.count)
    let together = gradients(fixture, model, weights(fixture) { factors[$0] })
    let apart = factors.indices.map { own in gradients(fixture, model, weights(fixture) { $0 == own ? 1 : 0 })
    }
    for (index, gradient) in together.enumerated() {
      let expected = gradient.indices.map { element in
        factors.indices.reduce(Float(0)) { $0 + factors[$1] * apart[$1][index][element] }
      }
      assertClose(gradient, expected, .share(1e-4, ofLargest: expected), "\(model.parameters[index].name)")
    }
  }

  /// A weight of 0 is no target.
  @Test(arguments: names) func aWeightOfZeroGivesNoGradient(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    #expect(gradients(fixture, model, weights(fixture) { _ in 0 }).allSatisfy { $0.allSatisfy { $0 == 0 } })
    let without = gradients(fixture, model, weights(fixture) { $0 == 1 ? 0 : 0.5 })
    var labels = fixture.labels
    for row in fixture.starts[1]..<fixture.starts[2] { labels[Int(row)] = -1 }
    model.zeroGradients()
    _ = model.accumulateGradients(
      tokens: fixture.tokens, labels: labels, starts: fixture.starts,
      weights: [Float](repeating: 0.5, count: labels.count), pass: Pass(training: false))
    for (parameter, expected) in zip(model.parameters, without) {
      assertClose(parameter.gradient.floats, expected, .share(1e-5, ofLargest: expected), parameter.name)
    }
  }
}
