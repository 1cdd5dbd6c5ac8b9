import FireflyBase
import FireflyCards
import FireflyDoubles
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

/// What runs take of a card's memory: as planned, and less with what spares it.
@Suite struct CardMemoryTests {
  private static func card() -> CardDevice { .emulated(order: 3, pooling: true) }

  /// A run whose rows are all alike, so that any micro-batch is the longest.
  private static func tiny() throws -> TinyRun {
    let tiny = try TinyRun()
    let row = #"{"conversation": [{"human": "say it", "assistant": "some words, and more!"}]}"# + "\n"
    try tiny.write(String(repeating: row, count: 8), to: tiny.rows)
    return tiny
  }

  private static let common: [String: JSONValue] = [
    "adam_epsilon": .double(1e-3), "data_cache": .string("off"), "warmup_steps": .int(0),
    "max_steps": .int(2),
  ]

  private func run(
    _ config: RunConfig, on device: any Device, stopAfter step: Int? = nil, resume: Resume = .fresh
  ) throws -> (losses: [Float], notices: [String]) {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    var (losses, notices): ([Float], [String]) = ([], [])
    _ = try Trainer(config: config, on: device).run(stop: stop) { event in
      switch event {
      case .notice(let text): notices.append(text)
      case .step(let report):
        losses.append(Float(report.loss))
        if report.step == step { stop.stop() }
      default: break
      }
    }
    return (losses, notices)
  }

  private static let modes: [[String: JSONValue]] = [
    ["train_mode": .string("qlora"), "checkpoint_dtype": .string("bfloat16")],
    ["train_mode": .string("qlora"), "precision": .string("bfloat16")],
    ["train_mode": .string("lora"), "gradient_checkpointing": .bool(false)],
    ["train_mode": .string("full"), "gradient_dtype": .string("bfloat16"), "precision": .string("bfloat16")],
  ]

  /// The plan goes through a step on a card that computes nothing, by the code that the run goes through.
  @Test(arguments: modes) func thePlanIsWhatTheRunTakes(_ mode: [String: JSONValue]) throws {
    let tiny = try Self.tiny()
    let config = try tiny.config("out", Self.common.merging(mode) { $1 })
    let plan = try expectPlanned(config)
    #expect(plan.summary.contains("memory of the card, about:"))
  }

  /// Runs it; what the plan says is what its tensors took, within 5 %.
  private func expectPlanned(_ config: RunConfig) throws -> RunPlan {
    let device = Self.card()
    let plan = try Trainer(config: config, on: device).plan()
    _ = try run(config, on: device)
    let library = try #require(plan.memory.first { $0.part == "library of products" }).bytes
    assertClose(
      [Double(plan.memoryBytes - library)], [Double(device.peakBytes)], Tolerance(relative: 0.05), "memory")
    return plan
  }

  @Test func thePlanOfPreferencesIsWhatTheRunTakes() throws {
    let tiny = try Self.tiny()
    let pair = #"{"prompt": "say it to me again", "chosen": "words!", "rejected": "no, no"}"# + "\n"
    try tiny.write(String(repeating: pair, count: 4), to: tiny.path + "/pairs.jsonl")
    let config = try tiny.config(
      "out",
      Self.common.merging([
        "task_type": .string("dpo"), "train_file": .string(tiny.path + "/pairs.jsonl"),
      ]) { $1 })
    _ = try expectPlanned(config)
  }

  /// Moments that the card has no room for: the processor keeps and updates them, and a checkpoint goes on bit for bit.
  @Test(arguments: ["qlora", "full"]) func pagedMomentsMoveToTheProcessor(_ mode: String) throws {
    let tiny = try Self.tiny()
    let changes = Self.common.merging([
      "train_mode": .string(mode), "optim": .string("paged_adamw_32bit"), "max_steps": .int(4),
      "memory_limit": .string("none"),
    ]) { $1 }
    let near = Self.card()
    let onCard = try run(tiny.config("near", changes), on: near)
    #expect(onCard.notices.allSatisfy { !$0.contains("the optimizer lies in") })
    let plan = try Trainer(config: tiny.config("planned", changes), on: Self.card()).plan()
    let tight = changes.merging(["memory_limit": .int(plan.memoryBytes - 1)]) { $1 }

    let far = Self.card()
    let whole = try run(tiny.config("far", tight), on: far)
    #expect(whole.notices.contains { $0.hasPrefix("the optimizer lies in the processor's memory") })
    assertClose(whole.losses, onCard.losses, Tolerance(relative: 1e-5), "losses")
    #expect(near.peakBytes - far.peakBytes >= 7 * plan.trainableParameters)
    let first = try run(tiny.config("parts", tight), on: Self.card(), stopAfter: 2)
    let second = try run(tiny.config("parts", tight), on: Self.card(), resume: .latest)
    #expect(first.losses + second.losses == whole.losses)
    #expect(
      try tiny.folder.data("far/checkpoint-4/optimizer.safetensors")
        == tiny.folder.data("parts/checkpoint-4/optimizer.safetensors"))
  }

  /// Master weights that the card has no room for either: the same run bit for bit, in as much of the card as planned.
  @Test func masterWeightsMoveToTheProcessor() throws {
    let tiny = try Self.tiny()
    let changes = Self.common.merging([
      "train_mode": .string("full"), "precision": .string("bfloat16"), "master_weights": .string("paged"),
      "optim": .string("paged_adamw_32bit"), "max_steps": .int(4), "memory_limit": .int(1),
    ]) { $1 }
    let whole = try Trainer(
      config: tiny.config("whole", changes.merging(["memory_limit": .string("none")]) { $1 }), on: Self.card()
    ).plan()
    let moments = 8 * whole.trainableParameters
    func run(_ output: String, limit: Int, stopAfter step: Int? = nil, resume: Resume = .fresh) throws -> (
      losses: [Float], notices: [String], plan: RunPlan, peak: Int
    ) {
      let device = Self.card()
      var config = try tiny.config(output, changes.merging(["memory_limit": .int(limit)]) { $1 })
      config.resume = resume
      let plan = try Trainer(config: config, on: Self.card()).plan()
      let (losses, notices) = try self.run(config, on: device, stopAfter: step, resume: resume)
      return (losses, notices, plan, device.peakBytes)
    }
    let near = try run("near", limit: whole.memoryBytes - 1)
    #expect(near.notices.allSatisfy { !$0.hasPrefix("the master weights lie") })
    let limit = whole.memoryBytes - moments - whole.trainableParameters
    let far = try run("far", limit: limit)
    #expect(far.notices.contains { $0.hasPrefix("the master weights lie in the processor's memory") })
    #expect(far.losses == near.losses && far.losses.count == 4)
    #expect(near.peak - far.peak >= 7 * whole.trainableParameters / 2)
    let library = try #require(far.plan.memory.first { $0.part == "library of products" }).bytes
    assertClose(
      [Double(far.plan.memoryBytes - library)], [Double(far.peak)], Tolerance(relative: 0.05), "memory")
    #expect(far.plan.summary.contains { $0.contains("in the processor's memory: master weights, ") })
    let host = 12 * whole.trainableParameters
    let error = #expect(throws: FireflyError.self) { try far.plan.requireFit(hostLimit: host) }
    #expect(error?.what == "what the card has no room for does not fit into the processor's memory")

    let first = try run("parts", limit: limit, stopAfter: 2)
    let second = try run("parts", limit: limit, resume: .latest)
    #expect(first.losses + second.losses == far.losses)
    for name in ["model.safetensors", "optimizer.safetensors"] {
      let files = try ["near", "far", "parts"].map { try tiny.folder.data("\($0)/checkpoint-4/\(name)") }
      #expect(files[0] == files[1] && files[1] == files[2], "\(name)")
    }
  }

  /// Blocks are computed again from rounded inputs: the first loss is the same, gradients are near.
  @Test func checkpointsInBfloat16() throws {
    let tiny = try Self.tiny()
    func losses(_ output: String, _ type: String, on device: any Device) throws -> [Float] {
      let changes: [String: JSONValue] = ["checkpoint_dtype": .string(type), "max_steps": .int(4)]
      return try run(tiny.config(output, Self.common.merging(changes) { $1 }), on: device).losses
    }
    let exact = try losses("exact", "float32", on: CPU.shared)
    for (output, device) in [("cpu", CPU.shared as any Device), ("card", Self.card())] {
      let rounded = try losses(output, "bfloat16", on: device)
      assertClose(rounded, exact, Tolerance(relative: 2e-3), "losses on \(output)")
      #expect(rounded[3] != exact[3])
    }
    let resumed = try tiny.config("cpu", Self.common.merging(["max_steps": .int(5)]) { $1 })
    let error = #expect(throws: FireflyError.self) { try run(resumed, on: CPU.shared, resume: .latest) }
    #expect(error?.what.contains("\"checkpoint_dtype\"") == true)
  }

  /// On a machine without a card too.
  @Test func thePlanSaysWhichCardsHaveTheRun() throws {
    let tiny = try Self.tiny()
    let plan = try Trainer(config: tiny.config("out", Self.common), on: CPU.shared).plan()
    #expect(
      plan.cards.map(\.change) == [
        nil, "\"checkpoint_dtype\": \"bfloat16\"", "\"optim\": \"paged_adamw_32bit\"",
      ])
    #expect(plan.cards.allSatisfy { $0.sizes == [8, 12, 16, 24, 40, 48, 80] })
    #expect(plan.cards[1].bytes > plan.cards[2].bytes)
    #expect(plan.cards[2].hostBytes >= 8 * plan.trainableParameters)
    #expect(plan.summary.contains { $0.hasPrefix("on a card: ") && $0.hasSuffix("80 GB have it") })
  }

  /// Where the memory is used up after all, the message has the plan's numbers.
  @Test func aCardThatIsFullSaysWhatToChange() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent],
      performing: {
        let tiny = try CardMemoryTests.tiny()
        let config = try tiny.config(
          "out", CardMemoryTests.common.merging(["memory_limit": .string("none")]) { $1 })
        let device = CardDevice.emulated(memory: 300_000, pooling: true)
        _ = try Trainer(config: config, on: device).run()
      })
    let message = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(message.contains("the card's memory is used up"))
    #expect(message.contains("By its plan the run takes "))
    #expect(
      message.contains(
        "\"per_device_train_batch_size\": 1, \"gradient_accumulation_steps\": 4, the same step: "))
  }
}
