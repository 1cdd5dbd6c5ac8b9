import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Testing

/// What is trained, known from shapes alone, and how it lies in one arena.
@Suite struct TrainableTests {
  static let names = ReferenceTests.folders

  private func architecture(_ fixture: ModelFixture) throws -> Architecture {
    try Architecture(config: JSONValue.read(fixture.folder + "/config.json"), source: "config.json")
  }

  /// Names, shapes and order of what hangs on the model, and PEFT's own names and shapes for the same model.
  @Test(arguments: names) func whatIsAttachedIsWhatWasPlanned(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let planned = try Trainable(architecture(fixture), LoRAOptions(rank: 3))
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 3), seed: 1)
    #expect(model.arena.trainable == planned)
    #expect(model.parameters.map(\.name) == planned.slots.map(\.name))
    #expect(model.parameters.map(\.value.shape) == planned.slots.map(\.shape))
    #expect(model.parameters.map(\.gradient.shape) == planned.slots.map(\.shape))
    #expect(planned.count == model.parameters.reduce(0) { $0 + $1.value.count })

    let ofPEFT = try fixture.model("lora")
    #expect(ofPEFT.parameters.map(\.name) == planned.slots.map(\.name))
    #expect(try Set(fixture.gradients("lora").keys).isSubset(of: planned.slots.map(\.name)))
  }

  /// A and B of each linear layer, block after block; a row passes an expert's by its share.
  @Test(arguments: names) func theOrderIsThatOfTheComputation(_ name: String) throws {
    let architecture = try architecture(ModelFixture(name))
    let slots = Trainable(architecture, LoRAOptions(rank: 3)).slots
    var next = 0
    for layer in 0..<architecture.layers {
      for linear in architecture.linears(layer) where linear.takesAdapter {
        let (a, b) = (slots[next], slots[next + 1])
        next += 2
        #expect(a.module.hasSuffix(".\(layer).\(linear.name)") && b.module == a.module)
        #expect(a.name == "base_model.model.\(a.module).lora_A.weight" && a.shape == [3, linear.inputs])
        #expect(b.name == "base_model.model.\(a.module).lora_B.weight" && b.shape == [linear.outputs, 3])
        #expect(a.layer == layer && a.rowShare == linear.rowShare && a.isDecayed && b.isDecayed)
      }
    }
    #expect(next == slots.count)
  }

  @Test(arguments: names, [3, 8]) func slicesLieApartAndAligned(_ name: String, _ rank: Int) throws {
    let architecture = try architecture(ModelFixture(name))
    let trainable = Trainable(architecture, LoRAOptions(rank: rank))
    let ordered = trainable.slots.sorted { $0.range.lowerBound < $1.range.lowerBound }
    #expect(ordered.allSatisfy { $0.range.count == $0.shape.reduce(1, *) })
    for (one, next) in zip(ordered, ordered.dropFirst()) {
      #expect(one.range.upperBound <= next.range.lowerBound)
      // A's of one input lie together; all else begins on a cache line of 64 bytes.
      let together = one.role == .lowRankA && next.role == .lowRankA
      #expect(together ? one.range.upperBound == next.range.lowerBound : next.range.lowerBound % 16 == 0)
    }
    #expect(try #require(ordered.last).range.upperBound <= trainable.arenaCount)

    // The runs are all elements of the slots and no others.
    let runs = trainable.runs.flatMap { Array($0.range) }
    #expect(runs == ordered.flatMap { Array($0.range) })
    #expect(
      zip(trainable.runs, trainable.runs.dropFirst()).allSatisfy { $0.range.upperBound < $1.range.lowerBound }
    )
  }

  /// The A's of linear layers that read the same input are one matrix, in the layers' order.
  @Test func theStackIsASlice() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model()
    try model.attachAdapter(LoRAOptions(rank: 5), seed: 1)
    let stack = model.parameters.filter { $0.name.contains("layers.1.") && $0.slot.role == .lowRankA }
      .prefix { !$0.name.contains("o_proj") }
    #expect(stack.map { $0.slot.module.suffix(6) } == ["q_proj", "k_proj", "v_proj"])
    let range = stack[stack.startIndex].slot.range.lowerBound..<(stack.last?.slot.range.upperBound ?? 0)
    let matrix = model.arena.values.slice(range).reshaped([3 * 5, 64])
    #expect(matrix.floats == stack.flatMap(\.value.floats))
  }

  /// Values and gradients are the arena's own memory.
  @Test func parametersAreSlicesOfTheArena() throws {
    let fixture = try ModelFixture("gqa")
    let model = try fixture.model("lora")
    _ = fixture.accumulate(model)
    let (values, gradients) = (model.arena.values.floats, model.arena.gradients.floats)
    for parameter in model.parameters {
      #expect(parameter.value.floats == Array(values[parameter.slot.range]))
      #expect(parameter.gradient.floats == Array(gradients[parameter.slot.range]))
      #expect(parameter.gradient.floats.contains { $0 != 0 }, "\(parameter.name)")
    }
    model.zeroGradients()
    #expect(model.arena.gradients.floats.allSatisfy { $0 == 0 })
    #expect(model.parameters.allSatisfy { $0.gradient.floats.allSatisfy { $0 == 0 } })
  }

  @Test func ranksThatDifferAndLayersLeftOut() throws {
    let architecture = try architecture(ModelFixture("gqa"))
    var options = LoRAOptions(rank: 4, targetModules: ["k_proj", "down_proj"])
    try options.rankPattern.append("down_proj", 7)
    let trainable = Trainable(architecture, options)
    #expect(trainable.slots.prefix(4).map(\.shape) == [[4, 64], [32, 4], [7, 320], [64, 7]])
    #expect(trainable.lowRankWidth == 2 * (4 + 7))
    #expect(trainable.lowRankPassed == Double(trainable.count))
    #expect(Trainable.nothing.count == 0 && Trainable.nothing.runs.isEmpty)
  }

  @Test(arguments: [
    (LoRAOptions(rank: 0), "lora_rank"), (LoRAOptions(rank: 1 << 17), "lora_rank"),
    (LoRAOptions(alpha: .infinity), "lora_alpha"), (LoRAOptions(dropout: 1), "lora_dropout"),
    (LoRAOptions(targetModules: ["q_proj", "q_prj"]), "lora_target_modules"),
  ])
  func refusesByName(_ options: LoRAOptions, _ key: String) throws {
    let architecture = try architecture(ModelFixture("gqa"))
    let error = #expect(throws: FireflyError.self) { try options.validate(for: architecture) }
    #expect(error?.place == key)
    if key == "lora_target_modules" {
      #expect(error?.fix == "Did you mean \"q_proj\"?")
      #expect(error?.expected == "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, lm_head")
    }
  }

  /// Python, whose dialect these are in, reads them otherwise than PCRE2.
  @Test(arguments: ["layers\\.\\d{,2}\\.q_proj", "[[:alpha:]]_proj"])
  func patternsOfTwoMeaningsAreRefused(_ pattern: String) {
    var patterns = ModulePatterns<Int>()
    let error = #expect(throws: FireflyError.self) { try patterns.append(pattern, 1) }
    #expect(error?.description.contains("unsupported regular expression") == true)
  }

  /// Without its adapter a model answers as its base, bit for bit, and no gradient comes about.
  @Test(arguments: names) func aPassWithoutAdaptersIsTheBases(_ name: String)
    throws
  {
    let fixture = try ModelFixture(name)
    let (model, base) = (try fixture.model("lora"), try fixture.model())
    var pass = Pass.evaluation
    pass.adapters = false
    let logits = { (model: Transformer, pass: Pass) in
      model.logits(tokens: fixture.tokens, starts: fixture.starts, pass: pass).floats
    }
    #expect(logits(model, pass) == logits(base, .evaluation))
    #expect(logits(model, .evaluation) != logits(base, .evaluation))
    #expect(fixture.accumulate(model, pass: pass) == fixture.accumulate(base))
    #expect(model.arena.gradients.floats.allSatisfy { $0 == 0 })
  }
}
