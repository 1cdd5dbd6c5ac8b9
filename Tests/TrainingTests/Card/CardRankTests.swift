import FireflyBase
import FireflyCards
import FireflyDoubles
import FireflyTestSupport
import FireflyTraining
import Testing

/// Ranks of which each has a card of its own, as those of one machine have.
@Suite struct CardRankTests {
  private func losses(_ config: RunConfig, ranks count: Int) throws -> [[Double]] {
    try LocalRanks.run(count) { ranks in
      var losses: [Double] = []
      let card = CardDevice.emulated(order: 3, pooling: true)
      _ = try Trainer(config: config, on: card).run(ranks, stop: StopRequest()) { event in
        if case .step(let report) = event { losses.append(report.loss) }
      }
      return losses
    }.map { try $0.get() }
  }

  private static let modes: [[String: JSONValue]] = [
    ["train_mode": .string("qlora"), "optim": .string("paged_adamw_32bit")],
    ["train_mode": .string("full"), "optim": .string("adamw_8bit"), "learning_rate": .double(1e-3)],
  ]

  @Test(arguments: modes) func areTheRunOfOne(_ mode: [String: JSONValue]) throws {
    let tiny = try TinyRun(rows: 8)
    let changes = mode.merging(["max_steps": .int(4), "max_grad_norm": .double(0.5)]) { $1 }
    let one = try losses(tiny.config("one", changes), ranks: 1)[0]
    let many = try losses(tiny.config("many", changes), ranks: 2)
    let again = try losses(tiny.config("again", changes), ranks: 2)
    #expect(one.count == 4)
    assertClose(many[0], one, Tolerance(relative: 1e-5))
    for losses in many + again { #expect(losses == many[0]) }
    let file = mode["train_mode"] == .string("full") ? "model.safetensors" : "adapter_model.safetensors"
    #expect(try tiny.folder.data("many/\(file)") == tiny.folder.data("again/\(file)"))
  }
}
