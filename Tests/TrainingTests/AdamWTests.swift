import FireflyDoubles
import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import Testing

/// The optimizer over ranges of an arena.
@Suite struct AdamWTests {
  private let options = AdamW.Options(beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1)

  /// A tiny model with an adapter and gradients; the ranks leave gaps in the arena.
  private func arena(rank: Int = 5) throws -> ParameterArena {
    let tiny = try TinyRun(experts: 3)
    let model = try tiny.loaded()
    try model.attachAdapter(LoRAOptions(rank: rank), seed: 3)
    for parameter in model.parameters {
      let noise = Tensor.normal(parameter.slot.shape, seed: UInt64(parameter.slot.range.lowerBound))
      Ops.convert(parameter.gradient.matrix, noise.matrix)
    }
    return model.arena
  }

  private func values(_ arena: ParameterArena) -> [[Float]] { arena.parameters.map(\.value.floats) }

  private func update(_ arena: ParameterArena, _ optimizers: [AdamW], steps: Int = 3) {
    for _ in 0..<steps {
      for optimizer in optimizers { optimizer.update(arena, learningRate: 0.01, gradientScale: 0.5) }
    }
  }

  /// One call for each parameter, as the formula has it.
  @Test func theArenaIsUpdatedAsItsParametersWouldBe() throws {
    let (arena, reference) = try (arena(), arena())
    #expect(arena.trainable.runs.count > 1)
    let store = MomentStore(for: [0..<arena.trainable.arenaCount], on: .cpu)
    update(arena, [AdamW(options, store: store)])
    for parameter in reference.parameters {
      let (m, v) = (
        Tensor.zeros(parameter.slot.shape, .float32), Tensor.zeros(parameter.slot.shape, .float32)
      )
      for step in 1...3 {
        Ops.adamW(
          value: parameter.value, gradient: parameter.gradient, m: m, v: v, learningRate: 0.01, beta1: 0.9,
          beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step, gradientScale: 0.5)
      }
      guard case .float32(let ownM, let ownV) = store.moments(of: parameter.slot) else {
        Issue.record("moments in 8 bits")
        continue
      }
      #expect(ownM.floats == m.floats && ownV.floats == v.floats, "\(parameter.name)")
    }
    #expect(values(arena) == values(reference))
  }

  /// Moments of a part of the arena move that part: two of them, wherever they meet, do what one of all does.
  @Test func partsOfTheArenaTogetherAreTheWhole() throws {
    let (whole, parts) = try (arena(), arena())
    let count = whole.trainable.arenaCount
    update(whole, [AdamW(options, store: MomentStore(for: [0..<count], on: .cpu))])
    let first = 0..<count / 3 + 1
    update(parts, [AdamW(options, store: MomentStore(for: [first], on: .cpu))])
    #expect(values(parts) != values(whole))
    update(parts, [AdamW(options, store: MomentStore(for: [first.upperBound..<count], on: .cpu))])
    #expect(values(parts) == values(whole))
  }

  /// With moments in 8 bits each parameter is moved by itself: its blocks begin with it.
  @Test func momentsInBytesMoveEachParameterByItself() throws {
    let (arena, reference) = try (arena(rank: 70), arena(rank: 70))
    let store = try MomentStore(inBytesFor: arena.trainable, on: .cpu)
    update(arena, [AdamW(options, store: store)])
    var inBytes = 0
    for parameter in reference.parameters {
      guard case .bytes(let ownM, let ownV) = store.moments(of: parameter.slot) else { continue }
      inBytes += 1
      let (m, v) = (
        ByteMoment(
          codes: .zeros([parameter.slot.count], .uint8), absmax: .zeros(ownM.absmax.shape, .float32),
          map: .signed),
        ByteMoment(
          codes: .zeros([parameter.slot.count], .uint8), absmax: .zeros(ownV.absmax.shape, .float32),
          map: .unsigned)
      )
      let value = parameter.value.reshaped([parameter.slot.count])
      for step in 1...3 {
        Ops.adamW(
          value: value, gradient: parameter.gradient.reshaped([parameter.slot.count]), m: m, v: v,
          learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step,
          gradientScale: 0.5)
      }
      #expect(ownM.floats == m.floats && ownV.floats == v.floats, "\(parameter.name)")
      let own = try #require(arena.parameters.first { $0.name == parameter.name })
      #expect(own.value.floats == value.floats, "\(parameter.name)")
    }
    #expect(inBytes > 0 && inBytes < arena.parameters.count)
  }

  /// In the parameters' order, each added up on its own, whatever lies between them.
  @Test func theNormIsThatOfAllParameters() throws {
    let arena = try arena()
    let sum = arena.parameters.reduce(0) { $0 + Ops.sumOfSquares($1.gradient) }
    #expect(gradientNorm(arena) == sum.squareRoot())
    let naive = arena.gradients.floats.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(gradientNorm(arena) - naive.squareRoot()) <= 1e-12 * naive.squareRoot())
  }
}
