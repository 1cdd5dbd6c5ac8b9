import FireflyBase
import FireflyModels
import FireflyTensors
import Foundation
import Testing

/// What the reference numbers of the families with experts do not reach.
@Suite struct MixtureOfExpertsTests {
  /// Each row's loss and the auxiliary one along the gradient of each parameter, by central differences: weights that are
  /// divided by their sum, scaled, and an auxiliary loss of every kind, large enough to show.
  @Test(arguments: [
    ("deepseek_moe", ["aux_loss_alpha": JSONValue.double(0.5), "seq_aux": .bool(false)]),
    ("deepseek_moe", ["aux_loss_alpha": .double(0.5), "norm_topk_prob": .bool(true)]),
    ("deepseek_moe", ["aux_loss_alpha": .int(0), "routed_scaling_factor": .double(1.5)]),
    ("deepseek_v2", ["aux_loss_alpha": .double(0.5), "routed_scaling_factor": .double(1.5)]),
    ("qwen2_moe", ["router_aux_loss_coef": .double(0.5), "norm_topk_prob": .bool(true)]),
    ("mixtral", ["router_aux_loss_coef": .double(0.5)]),
  ])
  func gradientsAgreeWithFiniteDifferences(_ name: String, _ changes: [String: JSONValue]) throws {
    let fixture = try ModelFixture("families/" + name)
    try fixture.with(changes) { model in
      let total = { (loss: LossSum) in (loss.sum + loss.balance) / Double(loss.count) }
      _ = fixture.accumulate(model)
      let gradients = model.parameters.map(\.gradient.floats)
      var checked = 0
      for (parameter, gradient) in zip(model.parameters, gradients) {
        let value = parameter.value.floats
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard norm > 0.01 else { continue }
        checked += 1
        let step = 2.5e-4  // small, so that no row changes its experts
        let losses = [1.0, -1.0].map { sign in
          set(parameter, zip(value, gradient).map { $0 + Float(sign * step * Double($1) / norm) }, model)
          return total(fixture.accumulate(model))
        }
        set(parameter, value, model)
        // Along the gradient itself the derivative is its norm.
        let numeric = (losses[0] - losses[1]) / (2 * step)
        #expect(abs(numeric - norm) <= 0.01 * norm + 1e-3, "\(parameter.name)")
      }
      #expect(checked > 20)
    }
  }

  /// PEFT's names; DeepSeek's router is no linear layer.
  @Test(arguments: [
    ("mixtral", ["block_sparse_moe.gate", "block_sparse_moe.experts.4.w3", "block_sparse_moe.experts.0.w2"]),
    (
      "qwen2_moe",
      ["mlp.gate", "mlp.shared_expert_gate", "mlp.shared_expert.up_proj", "mlp.experts.4.down_proj"]
    ),
    ("deepseek_moe", ["mlp.shared_experts.gate_proj", "mlp.experts.5.up_proj"]),
  ])
  func everyLinearLayerTakesAnAdapter(_ name: String, _ modules: [String]) throws {
    let model = try ModelFixture("families/" + name).model()
    try model.attachAdapter(LoRAOptions(rank: 2), seed: 1)
    let names = Set(model.parameters.map(\.name))
    for module in modules {
      #expect(names.contains("base_model.model.model.layers.2.\(module).lora_A.weight") || name == "mixtral")
      #expect(names.contains { $0.hasSuffix("\(module).lora_B.weight") }, "\(module)")
    }
    #expect(names.contains { $0.contains("mlp.gate.lora") } == (name == "qwen2_moe"))
    #expect(names.count == model.parameters.count)
  }

  @Test func onlyWhatIsNamedTakesAnAdapter() throws {
    let model = try ModelFixture("families/mixtral").model()
    try model.attachAdapter(LoRAOptions(rank: 2, targetModules: ["w1", "gate"]), seed: 1)
    let modules = Set(model.parameters.map { $0.name.split(separator: ".").dropLast(2).last ?? "" })
    #expect(modules == ["w1", "gate"])
    let deepSeek = try ModelFixture("families/deepseek_moe").model()
    #expect(throws: FireflyError.self) {
      try deepSeek.attachAdapter(LoRAOptions(rank: 2, targetModules: ["gate"]), seed: 1)
    }
  }

  /// A router that is not a number anymore shows in the loss.
  @Test(arguments: ModelFixture.routed) func aNaNIsNotRoutedAway(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let parameter = try #require(model.parameters.first { $0.name.contains("o_proj.lora_B") })
    set(parameter, [Float](repeating: .nan, count: parameter.value.count), model)
    #expect(fixture.accumulate(model).sum.isNaN)
  }

  /// The auxiliary loss is apart, and off where its coefficient is 0 and outside training.
  @Test(arguments: ModelFixture.routed) func theAuxiliaryLossIsApart(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model("lora")
    let loss = fixture.accumulate(model)
    let plain = model.loss(tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts).total
    #expect(loss.balance > 0 && plain.balance == 0)
    #expect(abs(loss.sum - plain.sum) <= 1e-9 * plain.sum)
    try fixture.with(["router_aux_loss_coef": .int(0), "aux_loss_alpha": .int(0)]) {
      #expect(fixture.accumulate($0).balance == 0)
    }
  }

  @Test(arguments: [
    ("mixtral", "num_experts_per_tok", JSONValue.int(6), "6 of 5"),
    ("mixtral", "num_local_experts", .int(0), "experts"),
    ("mixtral", "num_local_experts", .int(1 << 40), "experts"),
    ("mixtral", "router_jitter_noise", .double(0.1), "router_jitter_noise"),
    ("mixtral", "router_aux_loss_coef", .double(-1), "coefficient"),
    ("qwen2_moe", "decoder_sparse_step", .int(0), "decoder_sparse_step"),
    ("qwen2_moe", "mlp_only_layers", .array([.double(0.5)]), "mlp_only_layers"),
    ("qwen2_moe", "use_sliding_window", .bool(true), "use_sliding_window"),
    ("deepseek_moe", "scoring_func", .string("sigmoid"), "scoring_func"),
    ("deepseek_moe", "n_shared_experts", .int(1 << 60), "n_shared_experts"),
    ("deepseek_moe", "n_shared_experts", .int(1 << 30), "sizes"),
    ("deepseek_moe", "moe_layer_freq", .int(-1), "moe_layer_freq"),
    ("deepseek_v2", "topk_group", .int(1), "3 of 1 groups of 2"),
    ("deepseek_v2", "topk_group", .int(5), "5 of 4 groups"),
  ])
  func refusesByName(_ family: String, _ key: String, _ value: JSONValue, _ named: String) throws {
    let fixture = try ModelFixture("families/" + family)
    let config = try #require(JSONValue.read(fixture.folder + "/config.json").object)
    let error = #expect(throws: FireflyError.self) {
      try Architecture(config: .object(config.merging([key: value]) { $1 }), source: "config.json")
    }
    #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
  }

  private func set(_ parameter: Parameter, _ values: [Float], _ model: Transformer) {
    Ops.convert(parameter.value.matrix, Tensor(values, parameter.value.shape).matrix)
    model.parametersChanged()
  }
}
