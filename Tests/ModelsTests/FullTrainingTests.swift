import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// The model's own weights as what is trained: gradients of every tensor, and ways of computing that must not change them.
@Suite(.serialized) struct FullTrainingTests {
  static let names = ["biased_tied"] + ModelFixture.families

  private func model(
    _ fixture: ModelFixture, _ options: FullOptions = FullOptions(), compute: DType = .float32,
    memory: ArenaMemory = ArenaMemory()
  ) throws -> Transformer {
    try Transformer.load(
      ModelSource.open(fixture.folder), compute: compute, training: options, memory: memory)
  }

  private func gradients(_ model: Transformer) -> [String: [Float]] {
    Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.gradient.asFloats) })
  }

  // MARK: - Against PyTorch

  /// Every tensor of the model, under its own name, whole.
  @Test(arguments: names) func everyGradient(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try model(fixture)
    let loss = fixture.accumulate(model)
    let expectedLoss = try #require(fixture.lossSums["base"])
    #expect(abs(loss.sum - expectedLoss) <= 1e-4 * expectedLoss)
    let (found, expected) = (gradients(model), try fixture.fullGradients())
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, values) in expected {
      assertClose(found[name] ?? [], values, .share(1e-3, ofLargest: values), "\(name)")
    }
  }

  /// Compute copies, and then gradients too, in bfloat16: within 15 % of each tensor's largest element.
  @Test(arguments: names.filter { !ModelFixture.routed.contains($0) }, [DType.float32, .bfloat16])
  func bfloat16StaysNear(_ name: String, _ type: DType) throws {
    let fixture = try ModelFixture(name)
    let model = try model(fixture, compute: .bfloat16, memory: ArenaMemory(gradients: type))
    _ = fixture.accumulate(model)
    let found = gradients(model)
    #expect(model.parameters.allSatisfy { $0.gradient.dtype == type && $0.value.dtype == .float32 })
    for (name, values) in try fixture.fullGradients() {
      assertClose(found[name] ?? [], values, .share(0.15, ofLargest: values), "\(name)")
    }
  }

  /// In bfloat16 a sum is that of float32 rounded: after one micro-batch, by half a unit.
  @Test(arguments: names) func gradientsInBFloat16AreThoseOfFloat32Rounded(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let (wide, narrow) = (
      try model(fixture), try model(fixture, memory: ArenaMemory(gradients: .bfloat16))
    )
    _ = fixture.accumulate(wide)
    _ = fixture.accumulate(narrow)
    for (one, other) in zip(wide.parameters, narrow.parameters) {
      // A tied table is added to twice, a normalised head for each block of rows.
      let values = one.gradient.floats
      assertClose(other.gradient.asFloats, values, .share(0x1p-7, ofLargest: values), one.name)
    }
  }

  // MARK: - What must not change a gradient

  @Test(arguments: names) func checkpointedEqualsNot(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try model(fixture)
    let kept = fixture.accumulate(model, pass: Pass(training: true, checkpointing: false))
    let expected = gradients(model)
    model.zeroGradients()
    #expect(fixture.accumulate(model, pass: Pass(training: true, checkpointing: true)) == kept)
    #expect(gradients(model) == expected)
  }

  /// Without the routers' auxiliary loss, which compares all rows of a micro-batch with each other.
  @Test(arguments: names) func packedEqualsAlone(_ name: String) throws {
    let fixture = try ModelFixture(name)
    try fixture.withFolder(["router_aux_loss_coef": .int(0), "aux_loss_alpha": .int(0)]) { folder in
      let model = try Transformer.load(
        ModelSource.open(folder), compute: .float32, training: FullOptions())
      try packedEqualsAlone(fixture, model)
    }
  }

  private func packedEqualsAlone(_ fixture: ModelFixture, _ model: Transformer) throws {
    _ = fixture.accumulate(model)
    let packed = gradients(model)
    model.zeroGradients()
    for (start, end) in zip(fixture.starts, fixture.starts.dropFirst()) {
      let range = Int(start)..<Int(end)
      _ = model.accumulateGradients(
        tokens: Array(fixture.tokens[range]), labels: Array(fixture.labels[range]), starts: [0, end - start],
        weights: [Float](repeating: 1 / Float(fixture.targets), count: range.count),
        pass: Pass(training: true))
    }
    for (name, values) in gradients(model) {
      assertClose(values, packed[name] ?? [], .share(1e-4, ofLargest: values), name)
    }
  }

  @Test(arguments: names, [DType.float32, .bfloat16])
  func oneThreadEqualsTwo(_ name: String, _ compute: DType) throws {
    let fixture = try ModelFixture(name)
    let model = try model(fixture, compute: compute)
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    var found: [[String: [Float]]] = []
    for count in [1, 2] {
      Parallel.threads = count
      model.zeroGradients()
      _ = fixture.accumulate(model)
      found.append(gradients(model))
    }
    #expect(found[0] == found[1])
  }

  /// Frozen blocks have no gradients, and the others those that they have without.
  @Test(arguments: names) func freezingLeavesTheOthersGradients(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let whole = try model(fixture)
    let loss = fixture.accumulate(whole)
    let all = gradients(whole)
    let layers = whole.architecture.layers
    for frozen in [1, layers] {
      let part = try model(fixture, FullOptions(frozenLayers: frozen))
      let partLoss = fixture.accumulate(part)
      let found = gradients(part)
      let expected = all.filter { found[$0.key] != nil }
      if part.architecture.tiedHead {
        // The head is frozen then, and its loss goes by panels: sums in another order.
        assertClose([partLoss.sum], [loss.sum], Tolerance(relative: 1e-6))
        for (name, values) in expected {
          assertClose(found[name] ?? [], values, .share(1e-5, ofLargest: values), name)
        }
      } else {
        #expect(partLoss == loss && found == expected)
      }
      let slots = part.arena.trainable.slots
      #expect(slots.allSatisfy { ($0.layer ?? layers) >= frozen && $0.role != .embedding })
      #expect(slots.contains { $0.role == .head } == !part.architecture.tiedHead)
      #expect(Set(slots.compactMap(\.layer)) == Set(frozen..<layers))
    }
  }

  /// The row of `pad_token_id` gets none where the token is read, as in torch with `padding_idx`.
  @Test func thePaddingTokensRowIsNotTrained() throws {
    let fixture = try ModelFixture("families/xverse")
    let token = fixture.tokens[0]
    let expected = try fixture.fullGradients()
    try fixture.withFolder(["pad_token_id": .int(Int(token))]) { folder in
      let model = try Transformer.load(
        ModelSource.open(folder), compute: .float32, training: FullOptions())
      _ = fixture.accumulate(model)
      let size = model.architecture.hiddenSize
      for (name, values) in gradients(model) {
        guard var wanted = expected[name] else { continue }
        if name == "model.embed_tokens.weight" {
          let row = Int(token) * size..<(Int(token) + 1) * size
          #expect(wanted[row].contains { $0 != 0 })
          wanted.replaceSubrange(row, with: repeatElement(0, count: size))
        }
        assertClose(values, wanted, .share(1e-3, ofLargest: wanted), name)
      }
    }
  }

  // MARK: - What there is

  /// As loaded for use: the copies that compute follow from the values alone.
  @Test(arguments: names, [DType.float32, .bfloat16])
  func answersAsTheFrozenModel(_ name: String, _ compute: DType) throws {
    let fixture = try ModelFixture(name)
    let frozen = try Transformer.load(ModelSource.open(fixture.folder), compute: compute, quantization: .none)
    let trained = try model(fixture, compute: compute)
    let logits = { (model: Transformer) in
      model.logits(tokens: fixture.tokens, starts: fixture.starts).floats
    }
    #expect(logits(trained) == logits(frozen))
    let source = try ModelSource.open(fixture.folder)
    for parameter in trained.parameters {
      let name = trained.architecture.storedName(parameter.name, in: source.weights)
      let stored = try source.weights.tensor(name, shape: parameter.slot.shape, as: .float32)
      #expect(parameter.value.floats == stored.floats, "\(name)")
    }
    let head = try #require(trained.parameters.last { $0.slot.role == .head || $0.slot.role == .embedding })
    Ops.scale(head.value.matrix, by: -1)
    trained.parametersChanged()
    #expect(logits(trained) != logits(frozen), "the copies are renewed")
  }

  /// Each on cache lines of its own; what an update goes through is all of them and nothing else.
  @Test(arguments: names) func slicesLieApartAndAligned(_ name: String) throws {
    let trainable = try model(ModelFixture(name)).arena.trainable
    #expect(trainable.slots.allSatisfy { $0.range.count == $0.shape.reduce(1, *) })
    #expect(trainable.slots.allSatisfy { $0.range.lowerBound % 16 == 0 })
    for (one, next) in zip(trainable.slots, trainable.slots.dropFirst()) {
      #expect(one.range.upperBound <= next.range.lowerBound)
    }
    let decayed = trainable.slots.flatMap { Array(repeatElement($0.isDecayed, count: $0.count)) }
    #expect(trainable.runs.flatMap { Array(repeatElement($0.isDecayed, count: $0.range.count)) } == decayed)
  }

  /// As transformers' Trainer: by names, and LayerNorm by its class.
  @Test func biasesAndNormsDoNotDecay() throws {
    func decayed(_ name: String) throws -> [String] {
      try model(ModelFixture(name)).arena.trainable.slots.filter { $0.isDecayed }.map(\.name)
    }
    #expect(try !decayed("biased_tied").contains { $0.contains("norm") || $0.hasSuffix(".bias") })
    #expect(try decayed("biased_tied").count == 1 + 2 * 7)
    #expect(try !decayed("families/bloom").contains { $0.contains("ln_f") || $0.contains("norm") })
    #expect(try !decayed("families/internlm2").contains { $0.contains("norm") })
    #expect(try decayed("families/qwen").contains("transformer.h.0.ln_1.weight"))
    #expect(try decayed("families/yi").contains("model.layers.0.ln1.weight"))
    #expect(try !decayed("families/minicpm3").contains { $0.contains("norm") })
  }

  @Test func freezingMoreThanThereIsIsRefused() throws {
    let architecture = try model(ModelFixture("biased_tied")).architecture
    let error = #expect(throws: FireflyError.self) {
      try FullOptions(frozenLayers: 3).validate(for: architecture)
    }
    #expect(error?.place == "freeze_layers" && error?.expected == "0…2")
  }
}
