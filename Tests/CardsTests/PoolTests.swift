import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Testing

@Suite struct PoolTests {
  @Test func blocksAreHandedOutAgain() {
    let card = CardDevice.emulated(pooling: true)
    let first = Tensor([1000], .float32, on: card).pointer
    #expect(Tensor([990], .float32, on: card).pointer == first)
    #expect(card.peakBytes >= 4000 && card.peakBytes < 8000)
  }

  /// What is kept is given back when the card has nothing else left.
  @Test func keptBlocksMakeWay() {
    let card = CardDevice.emulated(memory: 1 << 20, pooling: true)
    for size in [100_000, 120_000, 150_000, 200_000] { Tensor([size], .float32, on: card).setZero() }
    #expect(card.memory.total == 1 << 20)
  }
}
