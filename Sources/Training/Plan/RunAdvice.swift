import FireflyBase

/// What to change in a configuration whose run does not fit the memory, with what each change comes to.
struct RunAdvice {
  /// One line for each change, each with those before it, until the run fits.
  let lines: [String]
  /// Whether it fits with all of them.
  let fits: Bool

  /// - Parameter limit: bytes that the process may use.
  init(_ facts: ModelFacts, _ config: RunConfig, limit: Int) {
    var changed = config
    var lines: [String] = []
    for (advice, change) in RunAdvice.changes {
      if MemoryPlan(facts, changed).needed <= limit { break }
      var next = changed
      guard change(&next) else { continue }
      let bytes = MemoryPlan(facts, next).needed
      guard bytes < MemoryPlan(facts, changed).needed else { continue }
      lines.append("\(advice(next)): \(Readable.bytes(bytes))")
      changed = next
    }
    self.lines = lines
    fits = MemoryPlan(facts, changed).needed <= limit
  }

  /// The changes, from what costs nothing to what costs quality. Each says itself, and returns false where it changes
  /// nothing.
  private static let changes:
    [(advice: @Sendable (RunConfig) -> String, apply: @Sendable (inout RunConfig) -> Bool)] = [
      (
        {
          "\"per_device_train_batch_size\": 1, \"gradient_accumulation_steps\": \($0.accumulation), the same step"
        },
        { config in
          guard config.microBatchSize > 1 else { return false }
          config.accumulation *= config.microBatchSize
          config.microBatchSize = 1
          return true
        }
      ),
      (
        { _ in "\"gradient_checkpointing\": true, about a third slower" },
        { config in
          defer { config.checkpointing = true }
          return !config.checkpointing
        }
      ),
      (
        {
          "\"optim\": \"paged_adamw_\($0.momentPrecision == .bytes ? "8bit" : "32bit")\", the optimizer in a file"
        },
        { config in
          defer { config.optimizerMemory = .paged }
          return config.optimizerMemory != .paged
        }
      ),
      (
        { _ in "\"master_weights\": \"paged\", the float32 weights in a file" },
        { config in
          defer { config.full.masterWeights = .paged }
          return config.mode == .full && config.full.masterWeights != .paged
        }
      ),
      (
        { _ in "\"gradient_dtype\": \"bfloat16\", which rounds each micro-batch's sum" },
        { config in
          defer { config.full.gradients = .bfloat16 }
          return config.mode == .full && config.full.gradients != .bfloat16
        }
      ),
      (
        { _ in "\"train_mode\": \"qlora\", an adapter on frozen weights in 4 bits" },
        { config in
          defer { config.mode = .qlora }
          return config.mode != .qlora
        }
      ),
      (
        { "\"lora_rank\": \($0.loraRank)" },
        { config in
          guard config.loraRank > 16, config.startAdapter == nil else { return false }
          config.loraRank = 16
          return true
        }
      ),
      (
        { "\"max_seq_length\": \($0.maxSequenceLength), longer rows are cut" },
        { config in
          guard config.maxSequenceLength > 512 else { return false }
          config.maxSequenceLength = 512
          return true
        }
      ),
    ]
}
