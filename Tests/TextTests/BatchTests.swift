import FireflyText
import Testing

@Suite struct BatchTests {
  /// The specification's golden tests d and e: rows of 5 and 3 tokens. Nothing is padded here, so a target equal
  /// to the padding id, as when pad is eos, stays a target.
  @Test func rowsLieEndToEnd() {
    let first = Sample(tokens: [1, 10, 11, 12, 0], targets: [3..<5], line: 4)
    let second = Sample(tokens: [1, 20, 0], targets: [2..<3], line: 2)
    let batch = Batch([first, second])
    #expect(batch.tokens == [1, 10, 11, 12, 0, 1, 20, 0])
    #expect(batch.labels == [-1, -1, 12, 0, -1, -1, 0, -1])
    #expect(batch.starts == [0, 5, 8])
    #expect(batch.lines == [4, 2])
    #expect(batch.targetCount == 3)
    #expect(batch.labels.filter { $0 >= 0 }.count == batch.targetCount)
  }

  @Test func noRows() {
    let batch = Batch([])
    #expect(batch.starts == [0])
    #expect(batch.tokens.isEmpty && batch.labels.isEmpty && batch.targetCount == 0)
  }
}
