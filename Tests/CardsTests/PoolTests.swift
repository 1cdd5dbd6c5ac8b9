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

/// The processor's.
@Suite struct StoragePoolTests {
  /// Blocks that nothing is written to take no memory, only addresses.
  @Test func whatIsHeldDoesNotRaiseWhatIsKept() {
    let pool = StoragePool()
    let held = pool.take(1 << 30)
    pool.drain()
    // As batches of ever new lengths ask for them.
    let sizes = [16, 24, 32, 44, 60].map { $0 << 20 }
    for size in sizes { pool.give(pool.take(size)) }
    let most = sizes[4] + 64 << 20
    #expect(pool.keptBytes <= most && pool.keptBytes > 0)
    pool.give(held)
    pool.drain()
    #expect(pool.keptBytes == 0)
  }

  @Test func aBlockIsHandedOutAgain() {
    let pool = StoragePool()
    let first = pool.take(8 << 20)
    pool.give(first)
    let second = pool.take(7 << 20)
    #expect(second.address == first.address && pool.keptBytes == 0)
    pool.give(second)
    pool.drain()
  }

  /// A block is never too small for whom it is handed to, nor much too large.
  @Test func blocksOfAllSizesAreHandedOutAgain() {
    let pool = StoragePool()
    let sizes = (0..<200).map { 1 + 37 * $0 * $0 }
    for size in sizes { pool.give(pool.take(size)) }
    for size in sizes {
      let block = pool.take(size)
      #expect(block.capacity >= size && block.capacity <= max(256, size + size / 2), "\(size) bytes")
      pool.give(block)
    }
    pool.drain()
    #expect(pool.keptBytes == 0)
  }
}
