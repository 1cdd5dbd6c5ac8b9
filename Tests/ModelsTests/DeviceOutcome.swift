import FireflyModels
import FireflyTensors
import FireflyWeights

/// What two optimizer steps and an answer give on a device.
struct DeviceOutcome: Equatable {
  var losses: [LossSum] = []
  /// Of each step's parameters.
  var gradients: [[Float]] = []
  var values: [[Float]] = []
  var logits: [Float] = []
  var scores: [TargetScore] = []

  /// An adapter on the fixture's model.
  init(
    _ fixture: ModelFixture, _ compute: DType, _ quantization: Quantization, epsilon: Double = 1e-8,
    on device: any Device
  ) throws {
    let model = try Transformer.load(
      ModelSource.open(fixture.folder), compute: compute, quantization: quantization, device: device)
    try model.attachAdapter(LoRAOptions(rank: 4, alpha: 8, dropout: 0.1), seed: 7)
    self.init(fixture, model, epsilon: epsilon)
  }

  /// All of the fixture's weights, whose float32 values may lie in the processor's memory.
  init(
    trainingAllOf fixture: ModelFixture, _ type: DType, valuesOnHost: Bool = false, epsilon: Double = 1e-8,
    on device: any Device
  ) throws {
    var memory = ArenaMemory(gradients: type)
    memory.valuesOnHost = valuesOnHost
    let model = try Transformer.load(
      ModelSource.open(fixture.folder), compute: type, training: FullOptions(), memory: memory,
      device: device)
    self.init(fixture, model, epsilon: epsilon)
  }

  private init(_ fixture: ModelFixture, _ model: Transformer, epsilon: Double) {
    for step in 1...2 {
      model.zeroGradients()
      let pass = Pass(seed: 3, step: UInt64(step), microBatch: 0, training: true, checkpointing: step == 1)
      losses.append(fixture.accumulate(model, pass: pass))
      gradients += model.parameters.map { $0.gradient.inType(.float32).floats }
      update(model, step: step, epsilon: epsilon)
    }
    values = model.parameters.map(\.value.floats)
    scores = model.scores(tokens: fixture.tokens, labels: fixture.labels, starts: fixture.starts)
    let cache = model.makeCache(capacity: 8)
    _ = model.step([(cache, Array(fixture.tokens[..<5]))])
    let other = model.makeCache(capacity: 8)
    _ = model.step([(other, Array(fixture.tokens[..<3]))])
    logits = model.step([(cache, [fixture.tokens[5]]), (other, [fixture.tokens[3]])]).floats
  }

  private func update(_ model: Transformer, step: Int, epsilon: Double) {
    for parameter in model.parameters {
      let device = parameter.value.device
      let m = Tensor.zeros(parameter.value.shape, .float32, on: device)
      let v = Tensor.zeros(parameter.value.shape, .float32, on: device)
      Ops.adamW(
        value: parameter.value, gradient: parameter.gradient.inType(.float32).on(device), m: m, v: v,
        learningRate: 1e-2,
        beta1: 0.9, beta2: 0.999, epsilon: epsilon, weightDecay: 0.01, step: step)
    }
    model.parametersChanged()
  }
}
