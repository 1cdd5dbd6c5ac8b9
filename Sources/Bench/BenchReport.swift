import FireflyBase
import FireflyTensors

/// Everything that `firefly bench` measured, as a table or as JSON.
package struct BenchReport: Sendable {
  package let limits: MachineLimits
  package var training: [TrainingBench] = []
  package var generation: [GenerationBench] = []
  package var attention: [AttentionBench] = []
  package var program: ProgramBench?

  package init(limits: MachineLimits) { self.limits = limits }

  // MARK: - Table

  package var text: String {
    var lines = machineLines
    for bench in training { lines += [""] + BenchReport.lines(bench) }
    for bench in generation { lines += [""] + BenchReport.lines(bench) }
    if !attention.isEmpty { lines += [""] + AttentionBench.lines(attention) }
    if let program { lines += [""] + BenchReport.lines(program) }
    return lines.joined(separator: "\n")
  }

  private var machineLines: [String] {
    if limits.isCard {
      return [
        limits.processor,
        "  bfloat16 products  \(giga(limits.bfloat16Rate.all)) GFLOP/s",
        "  float16 products   \(giga(limits.rate(of: .float16))) GFLOP/s",
        "  float32 products   \(giga(limits.float32Rate.all)) GFLOP/s",
        "  reading memory     \(giga(limits.readRate.all)) GB/s",
      ]
    }
    let rates =
      limits.units.map { ("\($0.unit.operands) \($0.unit.instruction)", $0.rate, "GOP/s") }
      + [
        ("bfloat16 products", limits.bfloat16Rate, "GFLOP/s"),
        ("float32 products", limits.float32Rate, "GFLOP/s"),
      ]
      + limits.levels.flatMap { level in
        let name = "\(level.name), \(Readable.bytes(level.bytes))"
        return [("reading \(name)", level.read, "GB/s"), ("writing \(name)", level.write, "GB/s")]
      }
    return ["\(limits.processor), \(limits.threads) threads, kernels \(limits.instructionSet)"]
      + rates.map { name, rate, unit in
        "  \(Columns.left(name, 26)) \(giga(rate.one)) \(unit) one thread, \(giga(rate.all)) all"
      }
  }

  private static func lines(_ bench: TrainingBench) -> [String] {
    [
      "training \(bench.shape), \(bench.tokens) tokens a step: \(whole(bench.tokensPerSecond)) tokens/s, "
        + share(bench.efficiency, of: bench.matrixRate, bench.step)
        + ", at most \(Readable.bytes(bench.step.peakBytes)) in tensors"
    ] + lines(bench.step)
  }

  private static func lines(_ bench: GenerationBench) -> [String] {
    let prompt =
      "generation \(bench.shape), NF4: prompt of \(bench.promptTokens) tokens at "
      + "\(whole(bench.prefillTokensPerSecond)) tokens/s, "
      + share(bench.prefillEfficiency, of: bench.matrixRate, bench.prefill)
    let decoding = bench.decoding.map {
      "  \($0.rows) at a time: \(whole($0.tokensPerSecond)) tokens/s, \(percent($0.shareOfBandwidth).trimmed) "
        + "of what reading the weights allows"
        + ($0.handOvers > 0
          ? "; \($0.handOvers) hand-overs a pass, waiting \(percent($0.waitingShare).trimmed)" : "")
    }
    return [prompt] + lines(bench.prefill) + decoding
  }

  private static func share(_ efficiency: Double, of rate: Double, _ measured: Measurement) -> String {
    let reached = measured.flop / measured.seconds
    let ofSilicon = measured.siliconRate.map {
      "\(percent(reached / $0).trimmed) of the silicon's \(giga($0).trimmed) GFLOP/s, "
    }
    return (ofSilicon ?? "")
      + "\(percent(efficiency).trimmed) of the matrix rate (\(giga(reached).trimmed) of "
      + "\(giga(rate).trimmed) GFLOP/s)"
  }

  /// A line for each part of the time.
  private static func lines(_ measured: Measurement) -> [String] {
    measured.parts.filter { $0.entry.seconds > 0 }.map { part, entry in
      let rate = entry.flop > 0 ? "  " + giga(entry.flop / entry.seconds) + " GFLOP/s" : ""
      return "  \(Columns.left("\(part)", 12)) \(percent(entry.seconds / measured.seconds))\(rate)"
    } + ["  \(Columns.left("rest", 12)) \(percent(measured.otherSeconds / measured.seconds))"]
      + (measured.handOvers.count > 0 ? [line(measured.handOvers, of: measured.seconds)] : [])
  }

  private static func line(_ handOvers: Parallel.HandOvers, of seconds: Double) -> String {
    "  of it on one thread \(percent((seconds - handOvers.sharedSeconds) / seconds).trimmed), waiting for others "
      + "\(percent(handOvers.waitingSeconds / seconds).trimmed), \(handOvers.count) hand-overs"
  }

  private static func lines(_ bench: ProgramBench) -> [String] {
    [
      "start-up to the first token: \(two(bench.firstTokenSeconds)) s (tokenizer \(two(bench.tokenizerLoadSeconds)) s)",
      "tokenisation, one thread: \(two(bench.tokensPerSecond.chinese / 1e6)) million tokens/s Chinese, "
        + "\(two(bench.tokensPerSecond.english / 1e6)) English",
    ]
  }

  // MARK: - JSON

  package var json: JSONValue {
    .object([
      "processor": .string(limits.processor), "instruction_set": .string(limits.instructionSet),
      "threads": .int(limits.threads),
      "silicon": .array(
        limits.units.map { unit, rate in
          .object([
            "instruction": .string(unit.instruction), "operands": .string("\(unit.operands)"),
            "operations_per_second": pair(rate),
          ])
        }),
      "memory": .array(
        limits.levels.map { level in
          .object([
            "level": .string(level.name), "bytes": .int(level.bytes),
            "read_bytes_per_second": pair(level.read), "write_bytes_per_second": pair(level.write),
          ])
        }),
      "bfloat16_flops": pair(limits.bfloat16Rate), "float32_flops": pair(limits.float32Rate),
      "float16_flops": limits.float16Rate.map(JSONValue.double) ?? .null,
      "read_bytes_per_second": pair(limits.readRate),
      "training": .array(training.map(BenchReport.json)),
      "generation": .array(generation.map(BenchReport.json)),
      "attention": .array(attention.map(\.json)),
      "program": program.map(BenchReport.json) ?? .null,
    ])
  }

  private func pair(_ rate: (one: Double, all: Double)) -> JSONValue {
    .object(["one_thread": .double(rate.one), "all_threads": .double(rate.all)])
  }

  private static func json(_ bench: TrainingBench) -> JSONValue {
    .object([
      "shape": .string(bench.shape), "tokens": .int(bench.tokens),
      "tokens_per_second": .double(bench.tokensPerSecond), "efficiency": .double(bench.efficiency),
      "matrix_rate": .double(bench.matrixRate), "step": json(bench.step),
    ])
  }

  private static func json(_ bench: GenerationBench) -> JSONValue {
    let decoding = bench.decoding.map {
      JSONValue.object([
        "rows": .int($0.rows), "tokens_per_second": .double($0.tokensPerSecond),
        "share_of_bandwidth": .double($0.shareOfBandwidth), "hand_overs": .int($0.handOvers),
        "waiting_share": .double($0.waitingShare),
      ])
    }
    return .object([
      "shape": .string(bench.shape), "prompt_tokens": .int(bench.promptTokens),
      "prefill_tokens_per_second": .double(bench.prefillTokensPerSecond),
      "prefill_efficiency": .double(bench.prefillEfficiency), "matrix_rate": .double(bench.matrixRate),
      "prefill": json(bench.prefill), "decoding": .array(decoding),
    ])
  }

  private static func json(_ measured: Measurement) -> JSONValue {
    let parts = measured.parts.map { part, entry in
      (
        "\(part)",
        JSONValue.object([
          "seconds": .double(entry.seconds), "flop": .double(entry.flop), "bytes": .int(entry.bytes),
          "calls": .int(entry.calls),
        ])
      )
    }
    return .object([
      "seconds": .double(measured.seconds), "flop": .double(measured.flop),
      "pass_bytes": .int(measured.passBytes),
      "parts": .object(Dictionary(parts) { first, _ in first }),
      "rest_seconds": .double(measured.otherSeconds),
      "silicon_flops": measured.siliconRate.map { .double($0) } ?? .null,
      "hand_overs": .int(measured.handOvers.count),
      "shared_seconds": .double(measured.handOvers.sharedSeconds),
      "waiting_seconds": .double(measured.handOvers.waitingSeconds),
      "system_allocations": .int(measured.systemAllocations), "peak_bytes": .int(measured.peakBytes),
    ])
  }

  private static func json(_ bench: ProgramBench) -> JSONValue {
    .object([
      "first_token_seconds": .double(bench.firstTokenSeconds),
      "tokenizer_load_seconds": .double(bench.tokenizerLoadSeconds),
      "tokens_per_second": .object([
        "chinese": .double(bench.tokensPerSecond.chinese), "english": .double(bench.tokensPerSecond.english),
      ]),
    ])
  }
}

// MARK: - Numbers in columns

private func giga(_ value: Double) -> String { fixed(value / 1e9, 1, width: 6) }
private func percent(_ share: Double) -> String { fixed(100 * share, 1, width: 5) + " %" }
private func two(_ value: Double) -> String { fixed(value, 2, width: 0) }
private func whole(_ value: Double) -> String { fixed(value, 0, width: 0) }

private func fixed(_ value: Double, _ digits: Int, width: Int) -> String {
  Columns.right(Readable.fixed(value, digits), width)
}

extension String {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
