import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Ways of computing that must not change what is computed.
@Suite(.serialized) struct InvarianceTests {
  static let names = ["gqa", "biased_tied", "gqa_nf4"] + ModelFixture.families

  private func gradients(_ model: Transformer) -> [[Float]] { model.parameters.map(\.gradient.floats) }

  @Test(arguments: names) func checkpointedEqualsNot(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let kept = fixture.accumulate(model, pass: Pass(training: false, checkpointing: false))
    let expected = gradients(model)
    model.zeroGradients()
    #expect(fixture.accumulate(model, pass: Pass(training: false, checkpointing: true)) == kept)
    #expect(gradients(model) == expected)
  }

  @Test(arguments: ["gqa"] + ModelFixture.routed) func checkpointedEqualsNotWithDropout(_ name: String) throws
  {
    let fixture = try ModelFixture(name)
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 4, alpha: 8, dropout: 0.3), seed: 7)
    randomizeB(model)
    var pass = Pass(seed: 5, step: 3, microBatch: 1, training: true, checkpointing: false)
    _ = fixture.accumulate(model, pass: pass)
    let expected = gradients(model)
    model.zeroGradients()
    pass.checkpointing = true
    _ = fixture.accumulate(model, pass: pass)
    #expect(gradients(model) == expected)
    model.zeroGradients()
    pass.step = 4
    _ = fixture.accumulate(model, pass: pass)
    #expect(gradients(model) != expected, "another step has other dropout bits")
  }

  /// Without the routers' auxiliary loss, which compares all rows of a micro-batch with each other.
  @Test(arguments: names) func packedEqualsAlone(_ name: String) throws {
    let fixture = try ModelFixture(name)
    try fixture.with(["router_aux_loss_coef": .int(0), "aux_loss_alpha": .int(0)]) {
      try packedEqualsAlone(fixture, $0)
    }
  }

  private func packedEqualsAlone(_ fixture: ModelFixture, _ model: Transformer) throws {
    let packed = model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
    _ = fixture.accumulate(model)
    let packedGradients = gradients(model)
    model.zeroGradients()
    var alone: [Float] = []
    var loss = LossSum()
    for (start, end) in zip(fixture.starts, fixture.starts.dropFirst()) {
      let range = Int(start)..<Int(end)
      let tokens = Array(fixture.tokens[range])
      alone += model.logits(tokens: tokens, starts: [0, end - start]).floats
      loss +=
        model.accumulateGradients(
          tokens: tokens, labels: Array(fixture.labels[range]), starts: [0, end - start],
          weights: [Float](repeating: 1 / Float(fixture.targets), count: tokens.count),
          pass: Pass(training: false)
        ).total
    }
    #expect(loss.count == fixture.targets)
    // Few rows are multiplied by another kernel: float32's sums in another order.
    assertClose(alone, packed, .share(1e-5, ofLargest: packed))
    for (a, b) in zip(gradients(model), packedGradients) { assertClose(a, b, .share(1e-4, ofLargest: b)) }
  }

  @Test(arguments: names, [1, 3, 7]) func stepwiseEqualsWhole(_ name: String, _ stride: Int) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    // phi3's angles change after 16 tokens, for those before as well.
    let tokens = Array(fixture.tokens[..<16])
    let whole = model.logits(tokens: tokens, starts: [0, Int32(tokens.count)])
    let cache = model.makeCache(capacity: tokens.count)
    for start in Swift.stride(from: 0, to: tokens.count, by: stride) {
      let end = min(start + stride, tokens.count)
      let last = model.step([(cache, Array(tokens[start..<end]))])
      assertClose(last.floats, whole.slice(end - 1..<end).floats, Tolerance(absolute: 1e-4))
    }
  }

  /// One token at a time, the cache of latent attention is read in another way: in 4 bits as well.
  @Test(arguments: ["families/minicpm3", "families/deepseek_v2_lite"], ["base", "nf4"])
  func stepwiseEqualsWholeOfAdaptedAndQuantized(_ name: String, _ variant: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model(variant)
    let tokens = Array(fixture.tokens[..<16])
    let whole = model.logits(tokens: tokens, starts: [0, 16])
    let cache = model.makeCache(capacity: 16)
    for (index, token) in tokens.enumerated() {
      let last = model.step([(cache, [token])])
      assertClose(last.floats, whole.slice(index..<index + 1).floats, Tolerance(absolute: 1e-4))
    }
  }

  @Test(arguments: ["gqa"] + ModelFixture.routed) func sequencesInOneStepDoNotMeet(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let rows = zip(fixture.starts, fixture.starts.dropFirst()).map {
      Array(fixture.tokens[Int($0)..<Int($1)])
    }
    let together = model.step(rows.map { (model.makeCache(capacity: 32), $0) })
    for (index, row) in rows.enumerated() {
      let alone = model.step([(model.makeCache(capacity: 32), row)])
      assertClose(together.slice(index..<index + 1).floats, alone.floats, Tolerance(absolute: 2e-5))
    }
  }

  /// Each target's loss and first choice, against the logits of every position in double precision.
  @Test(arguments: names) func scoresAreThoseOfTheLogits(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let scores = model.scores(tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts)
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts)
    let targets = fixture.labels.indices.filter { fixture.labels[$0] >= 0 }
    #expect(scores.count == targets.count)
    for (score, position) in zip(scores, targets) {
      let row = logits.slice(position..<position + 1).floats.map(Double.init)
      let label = Int(fixture.labels[position])
      let largest = row.reduce(-.infinity, max)
      let loss = largest + log(row.reduce(0) { $0 + exp($1 - largest) }) - row[label]
      #expect(abs(Double(score.loss) - loss) <= 2e-5 * max(1, loss))
      #expect(score.isBest == (row.firstIndex(of: largest) == label))
    }
    #expect(model.scores(tokens: [1], labels: [-1], starts: [0, 1]).isEmpty)
  }

  /// A copied beginning goes on as if it had been read anew, and neither cache disturbs the other.
  @Test(arguments: ["gqa", "families/minicpm3"]) func aCopiedCacheGoesOn(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let beginning = model.makeCache(capacity: 300)
    _ = model.step([(beginning, [3, 4, 5])])
    let rows: [[Int32]] = [[6, 7, 8], [9, 10, 11]]
    let caches = rows.map { _ in model.makeCache(capacity: 6) }
    for cache in caches {
      _ = model.step([(cache, [1])])  // forgotten by the copy
      cache.copy(beginning)
    }
    let scores = model.scores(zip(caches, rows).map { ($0, $1, [1, 2, 3]) })
    for (row, found) in zip(rows, scores) {
      let expected = model.scores(
        tokens: [3, 4, 5] + row, labels: [-1, -1, -1, 1, 2, 3], starts: [0, 6])
      #expect(found.count == 3)
      for (a, b) in zip(found, expected) {
        #expect(abs(a.loss - b.loss) <= 2e-5 * max(1, b.loss) && a.isBest == b.isBest)
      }
    }
    #expect(beginning.count == 3 && caches.allSatisfy { $0.count == 6 })
  }

  /// A sequence's logits are the same bits whatever is generated beside it, an adapter included.
  @Test(arguments: names, [DType.float32, .bfloat16])
  func companyDoesNotChangeABit(_ name: String, _ compute: DType) throws {
    let model = try ModelFixture(name).model("lora", compute: compute)
    // The long ones share two passes, where the model has no experts.
    let lengths = (0..<11).map { $0 % 4 + 1 } + [9, 33, 120, 16, 75, 9, 140]
    let prompts = lengths.enumerated().map { i, length in
      (0..<length).map { Int32(3 + (i * 7 + $0 * 5) % 20) }
    }
    func logits(_ chosen: [Int]) -> [[Float]] {
      let caches = chosen.map { _ in model.makeCache(capacity: 160) }
      let first = model.step(zip(caches, chosen).map { ($0, prompts[$1]) })
      let second = model.step(zip(caches, chosen).map { ($0, [Int32($1 + 3)]) })
      return chosen.indices.map { first.slice($0..<$0 + 1).floats + second.slice($0..<$0 + 1).floats }
    }
    let together = logits(Array(prompts.indices))
    for index in prompts.indices { #expect(logits([index]) == [together[index]], "prompt \(index)") }
    #expect(logits([2, 5, 9, 16]) == [together[2], together[5], together[9], together[16]])
  }

  @Test func shortPiecesShareAPass() {
    let counts = [40, 1, 9, 200, 100, 1, 300, 16]
    #expect(Transformer.shared(counts, alike: 16...256) == [[1, 5], [2], [0, 3], [6], [4, 7]])
    #expect(Transformer.shared(counts, alike: nil) == [[1, 5], [0], [2], [3], [4], [6], [7]])
    #expect(Transformer.shared([], alike: 16...256) == [])
  }

  @Test func aCacheGrowsAndForgets() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    let cache = model.makeCache(capacity: 700)
    let first = model.step([(cache, [3, 4, 5])]).floats
    for _ in 0..<600 { _ = model.step([(cache, [6])]) }
    #expect(cache.count == 603)
    cache.truncate(to: 2)
    assertClose(model.step([(cache, [5])]).floats, first, Tolerance(absolute: 2e-5))
  }

  @Test(arguments: [DType.float32, .bfloat16], ["gqa_nf4"] + ModelFixture.routed)
  func oneThreadEqualsTwo(_ compute: DType, _ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora", compute: compute)
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    var results: [[[Float]]] = []
    for count in [1, 2] {
      Parallel.threads = count
      model.zeroGradients()
      _ = fixture.accumulate(model)
      results.append(gradients(model) + [model.logits(tokens: fixture.tokens, starts: fixture.starts).floats])
    }
    #expect(results[0] == results[1])
  }

  /// The directional derivative along a random direction, by central differences, with dropout on.
  @Test func gradientsAgreeWithFiniteDifferences() throws {
    let fixture = try ModelFixture("biased_tied")
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 4, alpha: 8, dropout: 0.2), seed: 11)
    randomizeB(model)
    let pass = Pass(seed: 1, step: 2, microBatch: 0, training: true, checkpointing: true)
    _ = fixture.accumulate(model, pass: pass)
    for (parameter, gradient) in zip(model.parameters, gradients(model)) {
      let value = parameter.value.floats
      let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      guard norm > 1e-3 else { continue }
      // Along the gradient itself the derivative is its norm.
      let step = 1e-2
      var losses: [Double] = []
      for sign in [1.0, -1.0] {
        set(parameter, zip(value, gradient).map { $0 + Float(sign * step * Double($1) / norm) }, model)
        losses.append(fixture.accumulate(model, pass: pass).mean)
      }
      set(parameter, value, model)
      let numeric = (losses[0] - losses[1]) / (2 * step)
      #expect(abs(numeric - norm) <= 0.02 * norm + 1e-4, "\(parameter.name)")
    }
  }

  private func set(_ parameter: Parameter, _ values: [Float], _ model: Transformer) {
    Ops.convert(parameter.value.matrix, Tensor(values, parameter.value.shape).matrix)
    model.parametersChanged()
  }

  private func randomizeB(_ model: Transformer) {
    for (index, parameter) in model.parameters.enumerated() where parameter.name.contains("lora_B") {
      var random = CounterRandom(seed: 3, stream: UInt64(index))
      set(parameter, (0..<parameter.value.count).map { _ in (random.float() - 0.5) * 0.2 }, model)
    }
  }
}
