import FireflyBase

/// What to change in a configuration whose run does not fit the memory, with what each change comes to.
struct RunAdvice {
  /// One line for each change, each with those before it, until the run fits.
  let lines: [String]
  /// Whether it fits with all of them.
  let fits: Bool

  /// - Parameter limit: bytes that the process may use.
  init(_ facts: ModelFacts, _ config: RunConfig, limit: Int) throws {
    var changed = config
    var needed = try MemoryPlan(facts, changed).needed
    var lines: [String] = []
    for (advice, change) in RunAdvice.changes {
      if needed <= limit { break }
      var next = changed
      guard change(&next) else { continue }
      let bytes = try MemoryPlan(facts, next).needed
      guard bytes < needed else { continue }
      lines.append("\(advice(next, facts.card != nil)): \(Readable.bytes(bytes))")
      changed = next
      needed = bytes
    }
    self.lines = lines
    fits = needed <= limit
  }

  /// The changes, from what costs nothing to what costs quality. Each says itself, and returns false where it changes
  /// nothing.
  private static let changes:
    [(advice: @Sendable (RunConfig, _ isOnCard: Bool) -> String, apply: @Sendable (inout RunConfig) -> Bool)] =
      [
        (
          { config, _ in
            "\"per_device_train_batch_size\": 1, \"gradient_accumulation_steps\": \(config.accumulation), the same step"
          },
          { config in
            guard config.microBatchSize > 1 else { return false }
            config.accumulation *= config.microBatchSize
            config.microBatchSize = 1
            return true
          }
        ),
        (
          { _, _ in "\"gradient_checkpointing\": true, about a third slower" },
          { config in
            defer { config.checkpointing = true }
            return !config.checkpointing
          }
        ),
        (
          { config, isOnCard in
            isOnCard
              ? "\"optim\": \"paged_adamw_\(config.momentPrecision.bits)\", the optimizer in the processor's memory"
              : "\"optim\": \"paged_adamw_\(config.momentPrecision.bits)\", the optimizer in a file"
          },
          { config in
            defer { config.optimizerMemory = .paged }
            return config.optimizerMemory != .paged
          }
        ),
        (
          { _, isOnCard in
            isOnCard
              ? "\"master_weights\": \"paged\", the float32 weights in the processor's memory"
              : "\"master_weights\": \"paged\", the float32 weights in a file"
          },
          { config in
            defer { config.full.masterWeights = .paged }
            return config.mode == .full && config.full.masterWeights != .paged
          }
        ),
        (
          { _, _ in "\"gradient_dtype\": \"bfloat16\", which rounds each micro-batch's sum" },
          { config in
            defer { config.full.gradients = .bfloat16 }
            return config.mode == .full && config.full.gradients != .bfloat16
          }
        ),
        (
          { _, _ in "\"checkpoint_dtype\": \"bfloat16\", gradients of rounded inputs" },
          { config in
            defer { config.checkpointPrecision = .bfloat16 }
            return config.checkpointing && config.checkpointPrecision != .bfloat16
          }
        ),
        (
          { _, _ in "\"train_mode\": \"qlora\", an adapter on frozen weights in 4 bits" },
          { config in
            defer { config.mode = .qlora }
            return config.mode != .qlora
          }
        ),
        (
          { config, _ in "\"lora_rank\": \(config.loraRank)" },
          { config in
            guard config.loraRank > 16, config.startAdapter == nil else { return false }
            config.loraRank = 16
            return true
          }
        ),
        (
          { config, _ in "\"max_seq_length\": \(config.maxSequenceLength), longer rows are cut" },
          { config in
            guard config.maxSequenceLength > 512 else { return false }
            config.maxSequenceLength = 512
            return true
          }
        ),
      ]
}
