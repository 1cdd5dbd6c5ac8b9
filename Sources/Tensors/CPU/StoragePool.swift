import CShadow
import Foundation

/// The processor's memory. Blocks go back to the pool when released, so a training step that repeats its shapes allocates
/// nothing from the system in its steady state.
///
/// Free blocks are kept by capacity. Capacities are rounded to an eighth of a power of two, so nearly equal shapes share them.
/// Taking and giving one are a few instructions, without hashing: generating a token does each some three hundred times.
package final class StoragePool: @unchecked Sendable {
  static let shared = StoragePool()
  nonisolated(unsafe) static let empty = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)

  private let lock = NSLock()
  /// Free blocks by their capacity's place: those of one are equally large.
  private var free = [[DeviceBlock]](repeating: [], count: StoragePool.place(of: .max) + 1)
  private var freeBytes = 0
  private var usedBytes = 0
  private var peakBytes = 0
  private var recordedPeak = 0
  /// Of what is in use, what does not come and go: what was there at the last `drain` and still is.
  private var heldBytes = 0
  private(set) var systemAllocations = 0

  package init() {}

  /// Bytes of free blocks that wait for the next use.
  package var keptBytes: Int { lock.withLock { freeBytes } }

  /// The most bytes in use at once since `startRecordingPeak`.
  var peakSinceRecording: Int { lock.withLock { recordedPeak } }

  func startRecordingPeak() { lock.withLock { recordedPeak = usedBytes } }

  /// Under the lock.
  private func use(_ byteCount: Int) {
    usedBytes += byteCount
    peakBytes = max(peakBytes, usedBytes)
    recordedPeak = max(recordedPeak, usedBytes)
  }

  static func capacity(for byteCount: Int) -> Int {
    let least = max(byteCount, 256)
    let power = 1 << (Int.bitWidth - 1 - (least - 1).leadingZeroBitCount)  // the power of two below
    let step = max(power / 8, 64)
    return (least + step - 1) / step * step
  }

  /// Where a capacity stands among all that there are; from a power of two to the next there are eight places, not all in use.
  private static func place(of capacity: Int) -> Int {
    let exponent = Int.bitWidth - 1 - (capacity - 1).leadingZeroBitCount  // of the power of two below
    return 8 * exponent + (((capacity - 1) >> max(exponent - 3, 0)) & 7)
  }

  package func take(_ byteCount: Int) -> DeviceBlock {
    let block = takeRounded(StoragePool.capacity(for: byteCount))
    shadow_show(block.address, byteCount + SystemMemory.margin)
    shadow_hide(block.address + byteCount + SystemMemory.margin, block.capacity - byteCount)
    return block
  }

  private func takeRounded(_ wanted: Int) -> DeviceBlock {
    lock.lock()
    if let block = takeFree(wanted) {
      lock.unlock()
      return block
    }
    use(wanted)
    let surplus = removeSurplus()
    systemAllocations += 1
    lock.unlock()
    for block in surplus { SystemMemory.deallocate(block.address, block.capacity) }
    return DeviceBlock(address: SystemMemory.allocate(wanted), capacity: wanted)
  }

  /// A free block of the wanted capacity, or of the next ones up to a quarter more. Under the lock.
  private func takeFree(_ wanted: Int) -> DeviceBlock? {
    var capacity = wanted
    while capacity <= wanted + wanted / 4 {
      if let block = free[StoragePool.place(of: capacity)].popLast() {
        freeBytes -= capacity
        use(capacity)
        return block
      }
      capacity = StoragePool.capacity(for: capacity + 1)
    }
    return nil
  }

  /// What may be kept beyond the most that was ever in use at once: an eighth of what comes and goes, and in any case the
  /// buffers of a small model's block, which come in a dozen sizes of which few are in use together.
  package static func slack(ofPeak comesAndGoes: Int) -> Int { max(comesAndGoes / 8, 64 << 20) }

  /// Takes free blocks out until no more than the slack is held: batches of ever new lengths must not pile up blocks.
  /// Under the lock.
  private func removeSurplus() -> [DeviceBlock] {
    var removed: [DeviceBlock] = []
    let slack = StoragePool.slack(ofPeak: peakBytes - heldBytes)
    for place in free.indices.reversed() {
      while usedBytes + freeBytes > peakBytes + slack, let block = free[place].popLast() {
        freeBytes -= block.capacity
        removed.append(block)
      }
    }
    return removed
  }

  package func give(_ block: DeviceBlock) {
    #if DEBUG
      // NaN in every type of floats: what still reads the block, or the next one's user before it writes, is seen to be wrong.
      shadow_show(block.address, block.capacity)
      memset(block.address, 0xff, block.capacity)
    #endif
    shadow_hide(block.address, block.capacity + SystemMemory.margin)
    lock.lock()
    free[StoragePool.place(of: block.capacity)].append(block)
    freeBytes += block.capacity
    usedBytes -= block.capacity
    heldBytes = min(heldBytes, usedBytes)
    lock.unlock()
  }

  /// Returns every free block to the system. What is in use now counts as held from here on.
  package func drain() {
    lock.lock()
    let blocks = free.flatMap { $0 }
    for place in free.indices { free[place].removeAll() }
    freeBytes = 0
    peakBytes = usedBytes
    heldBytes = usedBytes
    lock.unlock()
    for block in blocks { SystemMemory.deallocate(block.address, block.capacity) }
  }
}
