import CCard
import FireflyBase
import FireflyTensors
import Foundation

/// A card's memory. Blocks that are given back are kept, as asking the driver makes the processor wait for the card. A block
/// may be handed out again while the card still works on it: what comes later is done later.
final class CardPool: @unchecked Sendable {
  private let card: UnsafeMutablePointer<CCard.card>
  private let keeping: Bool
  private let lock = NSLock()
  private var kept: [Int: [UnsafeMutableRawPointer]] = [:]
  private var keptBytes = 0
  private var inUse = 0
  private var mostBytes = 0

  init(_ card: UnsafeMutablePointer<CCard.card>, keeping: Bool) {
    self.card = card
    self.keeping = keeping
  }

  /// Bytes that are the program's, in use or kept.
  var heldBytes: Int { lock.withLock { inUse + keptBytes } }
  var usedBytes: Int { lock.withLock { inUse } }

  /// The most bytes in use at once since `startRecordingPeak`.
  var peakBytes: Int { lock.withLock { mostBytes } }

  func startRecordingPeak() { lock.withLock { mostBytes = inUse } }

  func take(_ byteCount: Int) throws(FireflyError) -> DeviceBlock {
    lock.lock()
    defer { lock.unlock() }
    let wanted = capacity(for: byteCount)
    let block: DeviceBlock
    if let found = takeKept(wanted) {
      block = found
    } else if let new = ask(wanted) {
      block = new
    } else {
      drain()
      guard let new = ask(wanted) else {
        throw CardFailure.outOfMemory(card, asked: wanted, used: inUse)
      }
      block = new
    }
    inUse += block.capacity
    mostBytes = max(mostBytes, inUse)
    return block
  }

  func give(_ block: DeviceBlock) {
    lock.lock()
    defer { lock.unlock() }
    inUse -= block.capacity
    guard keeping else {
      _ = card.pointee.release(card, block.address)
      return
    }
    kept[block.capacity, default: []].append(block.address)
    keptBytes += block.capacity
  }

  /// Rounded up to an eighth of a power of two, so that nearly equal shapes share blocks.
  private func capacity(for byteCount: Int) -> Int {
    guard keeping else { return byteCount }
    let least = max(byteCount, 512)
    let power = 1 << (Int.bitWidth - 1 - (least - 1).leadingZeroBitCount)
    let step = max(power / 8, 512)
    return (least + step - 1) / step * step
  }

  /// A kept block of the wanted capacity, or up to a quarter more.
  private func takeKept(_ wanted: Int) -> DeviceBlock? {
    guard keeping else { return nil }
    var size = wanted
    while size <= wanted + wanted / 4 {
      if let address = kept[size]?.popLast() {
        keptBytes -= size
        return DeviceBlock(address: address, capacity: size)
      }
      size = capacity(for: size + 1)
    }
    return nil
  }

  private func ask(_ byteCount: Int) -> DeviceBlock? {
    var address: UnsafeMutableRawPointer?
    guard card.pointee.allocate(card, &address, byteCount) == CARD_DONE.rawValue, let address else {
      return nil
    }
    return DeviceBlock(address: address, capacity: byteCount)
  }

  /// Gives every kept block back to the card.
  private func drain() {
    for address in kept.values.joined() { _ = card.pointee.release(card, address) }
    kept.removeAll()
    keptBytes = 0
  }
}
