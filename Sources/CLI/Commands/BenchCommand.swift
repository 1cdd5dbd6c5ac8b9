import FireflyBase
import FireflyBench
import FireflyTensors

/// `firefly bench`.
enum BenchCommand {
  private static let shapes = Option.choice(
    "--shape", BenchShape.all.map(\.name),
    "The model's shape, with random weights (default: smollm2, llama7b, ziya13b).")
  private static let only = Option.choice(
    "--only", ["training", "generation", "attention"],
    "Measures this alone; attention by itself is measured only so.")
  private static let length = Option.integer(
    "--length", "N", in: 1...1 << 20, "Tokens of a training row (default: 1024).")
  private static let rows = Option.integer(
    "--rows", "N", in: 1...4096, "Training rows of a step (default: 1).")
  private static let noCheckpointing = Flag("--no-checkpointing", "Keeps all activations in training.")
  private static let sparesMemory = Flag(
    "--spare-memory",
    "In training keeps the inputs of blocks in bfloat16, and on a card the optimizer's moments in the processor's memory."
  )
  private static let precision = Option.choice(
    "--precision", ["float32", "bfloat16", "float16"],
    "Of products; float16 on a card alone (default: bfloat16 where it is fast, on other cards float16).")
  private static let steps = Option.integer(
    "--steps", "N", in: 1...100_000, "Training steps measured (default: 5).")
  private static let model = Option.text(
    "--model", "MODEL", "Also measures start-up and tokenisation with this model.")
  private static let tasks = Option.text(
    "--tasks", "FILE",
    "Writes how long each task of a training step of --shape took, for tools/scaling_model.")
  private static let json = Flag("--json", "One JSON object.")

  static let verb = Verb(
    "bench", summary: "Measures this machine's limits, and how close Firefly comes to them.",
    details: """
      What the processor's units and its memory do at most is measured first, and the rates of large products; \
      everything else is given as a share of them, the units' rates being taken again between the runs. FLOP count what the algorithm needs: frozen matrices, LoRA, causal attention, recomputation. Other work \
      on the machine lowers all figures.
      """,
    options: [
      shapes.declaration, only.declaration, length.declaration, rows.declaration, noCheckpointing.declaration,
      sparesMemory.declaration,
      precision.declaration, DeviceOption.device.declaration, steps.declaration, model.declaration,
      tasks.declaration, json.declaration,
    ], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    let named = BenchShape.all.filter { $0.name == arguments[shapes] }
    let chosen = named.isEmpty ? [.smollm2, .llama7B, .ziya13B] : named
    let device = try DeviceOption.open(arguments)
    let compute = arguments[precision].flatMap(DType.init(name:))
    if let compute { try device.requireCompute(compute) }
    let workload = TrainingBench.Workload(
      lengths: [Int](repeating: arguments[length] ?? 1024, count: arguments[rows] ?? 1),
      checkpointing: !arguments[noCheckpointing], compute: compute,
      sparesMemory: arguments[sparesMemory])
    if let file = arguments[tasks] {
      try AtomicFile.write(TaskReport(chosen[0], workload).json, to: file)
      return
    }
    Messages.line("measuring the machine")
    var report = BenchReport(limits: .measure(device))
    for shape in chosen where [nil, "training"].contains(arguments[only]) {
      Messages.line("training \(shape.title)")
      report.training.append(try TrainingBench(shape, workload, on: device, steps: arguments[steps] ?? 5))
    }
    for shape in chosen where [nil, "generation"].contains(arguments[only]) {
      Messages.line("generation \(shape.title)")
      report.generation.append(
        try GenerationBench(shape, limits: report.limits, on: device, compute: compute))
    }
    if arguments[only] == "attention" {
      Messages.line("attention of one head")
      report.attention = AttentionBench.cases.map { AttentionBench($0, limits: report.limits, on: device) }
    }
    if let model = arguments[model] {
      Messages.line("start-up and tokenisation")
      report.program = try ProgramBench(program: CommandLine.arguments[0], model: model)
    }
    let output = Output()
    try output.line(arguments[json] ? report.json.text(indent: 2) : Language.current.lines(report.text))
    try output.flush()
  }
}
