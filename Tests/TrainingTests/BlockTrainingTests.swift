import FireflyBase
import FireflyConversion
import FireflyDoubles
import FireflyPretrained
import FireflyTestSupport
import FireflyTensors
import FireflyTraining
import FireflyWeights
import Testing

/// QLoRA on a GGUF file: its blocks are the base, and stay so.
@Suite struct BlockTrainingTests {
  let tiny: TinyRun
  let gguf: String

  init() throws {
    tiny = try TinyRun()
    gguf = tiny.path + "/model.gguf"
    try GGUFExporter(Pretrained.open(tiny.model), type: .q8_0).write(to: gguf)
  }

  private func config(_ output: String, _ mode: String) throws -> RunConfig {
    try tiny.config(
      output, ["model_name_or_path": .string(gguf), "train_mode": .string(mode), "device": .string("cpu")])
  }

  /// Against LoRA on the same file decoded, in float32: the same numbers but for the order of sums.
  @Test func losesAsOnTheDecodedFile() throws {
    let losses = try ["qlora", "lora"].map { mode in
      _ = try TinyRun.run(config(mode, mode))
      let state = try tiny.json("\(mode)/trainer_state.json")
      return state["log_history"]?.array?.compactMap { $0["loss"]?.double } ?? []
    }
    #expect(losses[0].count == 6 && losses[0][5] < losses[0][0])
    assertClose(losses[0], losses[1], Tolerance(relative: 1e-5), "losses")
  }

  /// A checkpoint of a run on NF4, as earlier versions and cards make of such a file, does not go on with another base.
  @Test func aRunOnNF4DoesNotGoOnWithTheBlocks() throws {
    _ = try TinyRun.run(config("out", "qlora"), stopAfter: 3)
    let path = tiny.path + "/out/checkpoint-3/resume_state.json"
    guard case .object(var state) = try JSONValue.read(path),
      case .object(var fingerprint)? = state["fingerprint"]
    else { throw FireflyError("no state") }
    #expect(fingerprint["train_mode"] == .string("qlora on the file's own blocks"))
    fingerprint["train_mode"] = .string("qlora")
    state["fingerprint"] = .object(fingerprint)
    try tiny.write(JSONValue.object(state).text(), to: path)
    let error = thrownError { _ = try TinyRun.run(config("out", "qlora"), resume: .latest) }
    #expect(error?.what == "the checkpoint was made with another \"train_mode\"")
    #expect(error?.expected == "\"qlora\"" && error?.found == "\"qlora on the file's own blocks\"")
  }

  @Test func thePlanCountsTheMappedBlocks() throws {
    let plan = try Trainer(config: config("out", "qlora")).plan()
    #expect(plan.notices.contains("\(gguf): the weights stay the file's own blocks: Q8_0"))
    // Which is what is measured for its time.
    let formats = plan.step.blocks.formats(plan.step.architecture)
    #expect(formats["model.layers.1.mlp.down_proj.weight"] == .q8_0)
    #expect(Set(formats.values) == [.q8_0] && plan.step.blocks.holdsHead(of: plan.step.architecture))
    let weights = try ModelSource.open(gguf).weights
    func bytes(_ isCounted: (String) -> Bool) -> Int {
      weights.names.filter(isCounted).reduce(0) { $0 + (weights.info($1)?.range.count ?? 0) }
    }
    let parts = Dictionary(uniqueKeysWithValues: plan.memory.map { ($0.part, $0.bytes) })
    #expect(parts["weights"] == bytes { $0.contains("_proj") })
    // The head whole; of the embedding what the rows name, at most all of it.
    let head = bytes { $0.hasPrefix("lm_head") }
    let tables = try #require(parts["embedding and head"])
    #expect(tables > head && tables <= 2 * head)
    let decoded = try Trainer(config: config("out", "lora")).plan()
    #expect(decoded.notices.allSatisfy { !$0.contains("own blocks") })
    #expect((decoded.memory.first { $0.part == "weights" }?.bytes ?? 0) > 3 * (parts["weights"] ?? 0))
  }
}
