import Firefly

/// QLoRA by the library's trainer: checkpoints, records, and what a configuration file can say.
func train(_ model: String, rows: String, output: String) async throws {
  let config = try RunConfig(
    model: model, trainFile: rows, output: output, maxLength: 512,
    settings: [
      "lora_rank": 16, "lora_alpha": 32, "learning_rate": 2e-3, "lr_scheduler_type": "cosine",
      "warmup_steps": 5, "max_steps": 60, "logging_steps": 10,
    ])
  let trainer = Trainer(config: config)
  print("memory, about: \(try trainer.plan().memoryBytes >> 20) MiB")

  for try await event in trainer.events() {
    switch event {
    case .notice(let text): print("note: \(text)")
    case .logged(let entry): print("step \(entry.step)  loss \(entry.loss)")
    case .saved(let folder): print("saved \(folder)")
    case .ended(let result): print("\(result.steps) steps, mean loss \(result.trainLoss)")
    default: break
    }
  }
}
