import FireflyDoubles
import FireflyModels
import FireflyTensors
import FireflyText
import FireflyTraining
import FireflyWeights
import Testing

/// What a backward says of gradients that are complete holds: ranks send them at once.
@Suite struct BackwardOrderTests {
  private func batch() -> Batch {
    Batch((0..<3).map { Sample(tokens: (0..<12).map { Int32(7 * $0 + 3) }, targets: [4..<11], line: $0 + 1) })
  }

  private func check(_ model: Transformer, blocks: Int) throws {
    var told: [(element: Int, gradients: [Float])] = []
    let gradients = model.arena.gradients
    model.onBackward = { told.append(($0, gradients.slice($0..<gradients.count).floats)) }
    _ = try CrossEntropy().accumulateGradients(batch(), on: model, step: 0)
    #expect(told.count == blocks + 1)
    #expect(zip(told, told.dropFirst()).allSatisfy { $0.element > $1.element })
    for (element, then) in told { #expect(then == Array(gradients.floats[element...])) }
    #expect(told.first.map { $0.element > gradients.count / 2 } == true)
    #expect(gradients.floats.contains { $0 != 0 })
  }

  @Test(arguments: [false, true]) func allWeights(_ isTied: Bool) throws {
    let tiny = try TinyRun(tied: isTied)
    let model = try Transformer.load(
      ModelSource.open(tiny.model), compute: .float32, training: FullOptions(), memory: ArenaMemory())
    try check(model, blocks: 2)
    let below = model.parameters.filter { $0.slot.role == .embedding }.map(\.slot.range.upperBound).max()
    var last: Int?
    model.onBackward = { last = $0 }
    _ = try CrossEntropy().accumulateGradients(batch(), on: model, step: 1)
    #expect(last == below)
  }

  @Test(arguments: [0, 3]) func adapters(_ experts: Int) throws {
    let tiny = try TinyRun(experts: experts)
    let model = try Transformer.load(
      ModelSource.open(tiny.model), compute: .float32, quantization: .none)
    try model.attachAdapter(LoRAOptions(rank: 4, alpha: 8), seed: 1)
    var last: Int?
    try check(model, blocks: 2)
    model.onBackward = { last = $0 }
    _ = try CrossEntropy().accumulateGradients(batch(), on: model, step: 1)
    #expect(last == 0)
  }
}
