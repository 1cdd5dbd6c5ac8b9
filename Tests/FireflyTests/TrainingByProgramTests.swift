import Firefly
import FireflyDoubles
import Testing

@Suite struct TrainingByProgramTests {
  private func config(_ tiny: TinyRun, _ output: String, _ settings: [String: JSONValue] = [:]) throws
    -> RunConfig
  {
    let small: [String: JSONValue] = [
      "template_name": "firefly", "lora_rank": 4, "max_steps": 4, "logging_steps": 1, "precision": "float32",
      "per_device_train_batch_size": 2, "learning_rate": 0.01,
    ]
    return try RunConfig(
      model: tiny.model, trainFile: tiny.rows, output: "\(tiny.path)/\(output)", maxLength: 64,
      settings: small.merging(settings) { $1 })
  }

  /// The events are those of `run`, and its result is the last.
  @Test func eventsTellTheRun() async throws {
    let tiny = try TinyRun()
    let expected = try Trainer(config: config(tiny, "a")).run()
    var (losses, ended) = ([Double](), TrainingResult?.none)
    for try await event in try Trainer(config: config(tiny, "b")).events() {
      #expect(ended == nil)
      if case .logged(let entry) = event { losses.append(entry.loss) }
      if case .ended(let result) = event { ended = result }
    }
    #expect(losses.count == 4 && ended?.trainLoss == expected.trainLoss && ended?.outcome == .finished)
  }

  /// Asked to stop, the run saves after its step; the next one goes on to the end of one that was not stopped.
  @Test func aStoppedRunGoesOn() async throws {
    let tiny = try TinyRun()
    let whole = try Trainer(config: config(tiny, "whole")).run()
    let stop = StopRequest()
    stop.stop()
    var last: TrainingEvent?
    for try await event in try Trainer(config: config(tiny, "parts")).events(stop: stop) { last = event }
    guard case .ended(let result) = last else {
      Issue.record("the last event is no end")
      return
    }
    #expect(result.outcome == .stopped(checkpoint: "\(tiny.path)/parts/checkpoint-1"))
    let rest = try Trainer(config: config(tiny, "parts", ["resume_from_checkpoint": true])).run()
    #expect(rest.outcome == .finished && rest.trainLoss == whole.trainLoss)
  }

  @Test func anErrorEndsTheStream() async throws {
    let tiny = try TinyRun()
    let trainer = Trainer(config: try config(tiny, "out", ["adapter_name_or_path": "nowhere"]))
    await #expect(throws: FireflyError.self) { for try await _ in trainer.events() {} }
  }

  /// A program's settings are checked as a file's are, and recorded; conversations take the model's own template.
  @Test func settingsAreKeysOfAConfiguration() throws {
    let tiny = try TinyRun()
    let run = try RunConfig(model: tiny.model, trainFile: tiny.rows, output: "out", maxLength: 64)
    #expect(run.templateName == "auto" && run.source["max_seq_length"] == 64)
    let texts = try RunConfig(
      model: tiny.model, trainFile: tiny.rows, output: "out", maxLength: 64,
      settings: ["task_type": "pretrain"])
    #expect(texts.templateName.isEmpty)
    let error = #expect(throws: FireflyError.self) { try config(tiny, "out", ["lora_ranks": 4]) }
    #expect(error?.description.contains("lora_rank") == true)
  }

  /// A loop of one's own does what the trainer does: the same steps, the same adapter.
  @Test func aLoopOfOnesOwnIsTheTrainers() throws {
    let tiny = try TinyRun()
    let settings: [String: JSONValue] = [
      "train_mode": "lora", "lora_dropout": 0, "lr_scheduler_type": "cosine", "seed": 7,
    ]
    let run = try Trainer(config: config(tiny, "out", settings)).run()

    let pretrained = try Pretrained.open(tiny.model)
    let model = try pretrained.load(Pretrained.Options(compute: .float32))
    try model.attachAdapter(LoRAOptions(rank: 4, dropout: 0), seed: 7)
    let template = try pretrained.template(named: "firefly", adapter: nil)
    let data = try Dataset.load(
      tiny.rows, template: template, tokenizer: pretrained.tokenizer, maxLength: 64)
    var order = DataOrder(rows: data.samples.count, microBatchSize: 2, accumulation: 1, seed: 7)
    let optimizer = AdamW(training: model)
    let rate = Schedule.cosine().factor(total: 4)
    var losses: [Double] = []
    for step in 0..<4 {
      model.zeroGradients()
      let batch = Batch(order.microBatches(step: step)[0].map { data.samples[$0] })
      losses.append(try CrossEntropy().accumulateGradients(batch, on: model, step: step).loss)
      let norm = optimizer.step(model, learningRate: 0.01 * rate(step))
      #expect(norm.isFinite)
    }
    #expect(losses.reduce(0, +) / 4 == run.trainLoss)
  }
}
