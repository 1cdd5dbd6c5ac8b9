import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Testing

/// Two answers that continue one prompt give what two rows give.
@Suite struct BranchTests {
  /// Families whose prompts depend on what follows: the routers' auxiliary loss, and frequencies that depend on the length;
  /// and those with latent attention, which lays out no branches.
  static let apart = [
    "families/deepseek_moe", "families/deepseek_v2", "families/deepseek_v2_lite", "families/gpt_oss",
    "families/minicpm3",
    "families/minicpm4", "families/internlm3", "families/mixtral", "families/phi3", "families/phi4_mini",
    "families/qwen2_moe",
    "families/qwen3_moe", "rope_dynamic",
  ]

  /// A pair of prompt and answers as two rows, and as a trunk with two branches.
  private struct Pair {
    var tokens: [Int32] = []
    var labels: [Int32] = []
    var starts: [Int32] = [0]
    var trunks: [Int32] = []

    mutating func add(_ tokens: some Sequence<Int32>, targetsFrom first: Int, next: Int32, trunk: Int32) {
      let own = Array(tokens)
      self.tokens += own
      labels += own.indices.map { $0 + 1 < first ? -1 : $0 + 1 < own.count ? own[$0 + 1] : next }
      starts.append(Int32(self.tokens.count))
      trunks.append(trunk)
    }
  }

  private func ids(_ count: Int, _ seed: Int) -> [Int32] {
    (0..<count).map { Int32(3 + ($0 * 37 + seed * 11) % 90) }
  }

  /// Two pairs in one batch, of different lengths.
  private var batches: (rows: Pair, tree: Pair) {
    var (rows, tree) = (Pair(), Pair())
    for (pair, lengths) in [(prompt: 12, answers: [9, 4]), (prompt: 5, answers: [2, 7])].enumerated() {
      let prompt = ids(lengths.prompt, pair)
      let trunk = Int32(tree.starts.count - 1)
      tree.add(prompt.dropLast(), targetsFrom: .max, next: -1, trunk: -1)
      for (answer, length) in lengths.answers.enumerated() {
        let own = ids(length, 7 * pair + answer + 3)
        rows.add(prompt + own, targetsFrom: prompt.count, next: -1, trunk: -1)
        tree.add([prompt[prompt.count - 1]] + own, targetsFrom: 1, next: -1, trunk: trunk)
      }
    }
    return (rows, tree)
  }

  private func result(
    _ batch: Pair, _ model: Transformer, checkpointing: Bool
  ) -> (losses: [LossSum], gradients: [Float]) {
    model.zeroGradients()
    let loss = model.accumulateGradients(
      tokens: batch.tokens, labels: batch.labels, starts: batch.starts,
      trunks: batch.trunks.contains { $0 >= 0 } ? batch.trunks : [], balanceWeight: 0,
      pass: Pass(training: false, checkpointing: checkpointing)
    ) { losses in
      // Depends on the losses, and has both signs.
      var sign: Float = -1
      return losses.sequences.map {
        guard $0.count > 0 else { return 0 }
        sign = -sign
        return sign * Float($0.sum) / 50
      }
    }
    return (loss.sequences.filter { $0.count > 0 }, model.arena.gradients.floats)
  }

  @Test(
    arguments: ["gqa", "biased_tied", "gqa_nf4", "rope_llama3", "rope_yarn", "rope_dynamic"]
      + ModelFixture.families)
  func aSharedPromptIsTheSameAsTwoRows(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let isApart = BranchTests.apart.contains(name)
    #expect(model.architecture.sharesTrunks == !isApart, "\(name)")
    if !isApart { expectTheSame(model, name) }
  }

  /// gpt-oss as it is published, without the auxiliary loss.
  @Test func aSharedPromptBesideSinksIsTheSame() throws {
    try ModelFixture("families/gpt_oss").with(["output_router_logits": .bool(false)]) { model in
      #expect(model.architecture.sharesTrunks && model.architecture.sinks != nil)
      expectTheSame(model, "gpt_oss")
    }
  }

  private func expectTheSame(_ model: Transformer, _ name: String) {
    let (rows, tree) = batches
    #expect(tree.tokens.count == rows.tokens.count - 11 - 4)
    for checkpointing in [false, true] {
      let expected = result(rows, model, checkpointing: checkpointing)
      let found = result(tree, model, checkpointing: checkpointing)
      #expect(found.losses.map(\.count) == expected.losses.map(\.count))
      assertClose(
        found.losses.map(\.sum), expected.losses.map(\.sum), Tolerance(relative: 1e-5), "\(name): losses")
      assertClose(
        found.gradients, expected.gradients, .share(2e-5, ofLargest: expected.gradients),
        "\(name): gradients")
    }
    let measured = model.loss(
      tokens: tree.tokens, labels: tree.labels, starts: tree.starts, trunks: tree.trunks)
    #expect(
      measured.sequences.filter { $0.count > 0 } == result(tree, model, checkpointing: false).losses)
  }

  /// Weights that are known before and weights that are a function of the losses are the same thing.
  @Test func weightsAfterwards() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model("lora")
    let factors: [Float] = [0.75, -0.5, 2]
    model.zeroGradients()
    let known = model.accumulateGradients(
      tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts,
      weights: zip(fixture.starts, fixture.starts.dropFirst()).enumerated().flatMap { sequence, bounds in
        [Float](repeating: factors[sequence], count: Int(bounds.1 - bounds.0))
      }, pass: Pass(training: false))
    let expected = model.arena.gradients.floats
    model.zeroGradients()
    var seen: BatchLoss?
    let afterwards = model.accumulateGradients(
      tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts, balanceWeight: 0,
      pass: Pass(training: false)
    ) {
      seen = $0
      return factors
    }
    #expect(afterwards == known && seen == known)
    #expect(model.arena.gradients.floats == expected)
  }
}
