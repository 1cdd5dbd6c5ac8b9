import FireflyTraining
import Testing

@Suite struct DataOrderTests {
  @Test func anEpochIsAPermutationAndTheNextAnother() {
    var order = DataOrder(rows: 24, microBatchSize: 2, accumulation: 3, seed: 7)
    #expect(order.stepsPerEpoch == 4)
    let first = (0..<4).flatMap { order.microBatches(step: $0).flatMap { $0 } }
    let second = (4..<8).flatMap { order.microBatches(step: $0).flatMap { $0 } }
    #expect(first.sorted() == Array(0..<24) && second.sorted() == Array(0..<24))
    #expect(first != second && first != Array(0..<24))
  }

  @Test func dependsOnTheStepAlone() {
    var walked = DataOrder(rows: 10, microBatchSize: 3, accumulation: 2, seed: 7)
    let steps = (0..<9).map { walked.microBatches(step: $0) }
    for step in (0..<9).reversed() {
      var fresh = DataOrder(rows: 10, microBatchSize: 3, accumulation: 2, seed: 7)
      #expect(fresh.microBatches(step: step) == steps[step])
    }
    var other = DataOrder(rows: 10, microBatchSize: 3, accumulation: 2, seed: 8)
    #expect(other.microBatches(step: 0) != steps[0])
  }

  @Test func leftOversOfAnEpochMakeAShorterStep() {
    var order = DataOrder(rows: 11, microBatchSize: 2, accumulation: 4, shuffle: false, seed: 0)
    #expect(order.batchesPerEpoch == 6 && order.stepsPerEpoch == 2 && order.batchesOfShortStep == 2)
    #expect(order.microBatches(step: 0) == [[0, 1], [2, 3], [4, 5], [6, 7]])
    #expect(order.microBatches(step: 1) == [[8, 9], [10]])
    #expect(order.microBatches(step: 2) == order.microBatches(step: 0))
  }

  @Test func aShortEpochIsOneStep() {
    var order = DataOrder(rows: 3, microBatchSize: 2, accumulation: 16, shuffle: false, seed: 0)
    #expect(order.stepsPerEpoch == 1)
    #expect(order.microBatches(step: 0) == [[0, 1], [2]])
    let dropping = DataOrder(rows: 3, microBatchSize: 2, accumulation: 1, dropsLastBatch: true, seed: 0)
    #expect(dropping.batchesPerEpoch == 1)
  }

  @Test func countsSteps() {
    let order = DataOrder(rows: 100, microBatchSize: 1, accumulation: 16, seed: 0)
    #expect(order.stepsPerEpoch == 7)
    #expect(order.totalSteps(epochs: 1, maxSteps: nil) == 7)
    #expect(order.totalSteps(epochs: 1.5, maxSteps: nil) == 11)
    #expect(order.totalSteps(epochs: 1, maxSteps: 50) == 50)
  }
}
