import CCard
import FireflyBase
import FireflyTensors
import Foundation

/// A card as the device of tensors: memory of its own, operations by its kernels, products by its library.
///
/// All work goes to the card in the order in which it is asked for, and nothing waits for it but a download. What fails there
/// (memory that is used up, a card that is gone) ends the program by `onFailure`: an operation has nobody to tell.
package final class CardDevice: Device {
  package let name: String
  package var isHost: Bool { false }
  package let multipliesBFloat16: Bool
  package var multipliesFloat16: Bool { true }

  nonisolated(unsafe) let card: UnsafeMutablePointer<CCard.card>
  private let pool: CardPool
  private let onFailure: @Sendable (FireflyError) -> Never
  private let onEnd: @Sendable () -> Void
  /// What to change where memory is used up.
  private let advice = Locked<@Sendable () -> [String]>({ [] })

  /// - Parameters:
  ///   - card: Used by this device alone, for as long as the program runs.
  ///   - pooling: Whether blocks that are given back are kept for the next that asks; otherwise each is the card's own.
  ///   - onFailure: Is told what failed, and ends the program; the default prints it.
  ///   - onEnd: Is called when nothing uses the device any more.
  package init(
    _ card: UnsafeMutablePointer<CCard.card>, pooling: Bool = true,
    onFailure: @escaping @Sendable (FireflyError) -> Never = CardDevice.end,
    onEnd: @escaping @Sendable () -> Void = {}
  ) {
    self.card = card
    self.onFailure = onFailure
    self.onEnd = onEnd
    name = String(cString: card.pointee.name)
    multipliesBFloat16 = card.pointee.has_bfloat16 != 0
    pool = CardPool(card, keeping: pooling)
  }

  deinit { onEnd() }

  package var kind: CardKind {
    CardKind(hasBFloat16: card.pointee.has_bfloat16 != 0, hasTiles: card.pointee.has_tiles != 0)
  }

  /// A card that holds and computes nothing, on which the code that runs on any other shows what memory it takes.
  package static func counting(_ kind: CardKind) -> CardDevice {
    nonisolated(unsafe) let card = card_counting(kind.hasBFloat16 ? 1 : 0, kind.hasTiles ? 1 : 0)
    return CardDevice(card, onEnd: { card_counting_end(card) })
  }

  /// Prints the error and ends the program with status 1.
  package static let end: @Sendable (FireflyError) -> Never = { error in
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
  }

  package func synchronise() { run("waiting for the card", card.pointee.synchronise(card)) }

  // MARK: Memory

  package var ownMemory: Int? { memory.free + pool.heldBytes }
  package var peakBytes: Int { pool.peakBytes }
  /// Bytes that tensors hold now.
  package var usedBytes: Int { pool.usedBytes }
  package func startRecordingPeak() { pool.startRecordingPeak() }

  package func allocate(_ byteCount: Int) -> DeviceBlock {
    do {
      return try pool.take(byteCount)
    } catch {
      var told = error
      let changes = advice.withLock { $0 }()
      if !changes.isEmpty { told.fix = changes.joined(separator: "\n") }
      onFailure(told)
    }
  }

  /// - Parameter lines: say what to change where memory is used up, in the place of what is true of any run; called then.
  package func adviseWhenFull(_ lines: @escaping @Sendable () -> [String]) { advice.withLock { $0 = lines } }

  package func free(_ block: DeviceBlock) { pool.give(block) }

  package func upload(_ bytes: UnsafeRawBufferPointer, to address: UnsafeMutableRawPointer) {
    guard let base = bytes.baseAddress else { return }
    run("copying to the card", card.pointee.upload(card, address, base, bytes.count))
  }

  package func download(_ address: UnsafeMutableRawPointer, into bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    run("copying from the card", card.pointee.download(card, base, address, bytes.count))
  }

  package func zero(_ x: Tensor) { run("fill", card.pointee.fill(card, x.pointer, 0, x.byteCount)) }

  /// Bytes of the card's memory.
  package var memory: (free: Int, total: Int) {
    var (free, total) = (0, 0)
    run("asking for memory", card.pointee.memory(card, &free, &total))
    return (free, total)
  }

  // MARK: For operations

  /// Ends the program unless `result` says that it was done.
  func run(_ what: String, _ result: Int32) {
    guard result != CARD_DONE.rawValue else { return }
    onFailure(CardFailure.error(card, what, result))
  }

  /// Numbers that a kernel reads beside its operands.
  func uploaded<Element: BitwiseCopyable>(_ elements: [Element]) -> Uploaded<Element> {
    let bytes = Tensor([elements.count * MemoryLayout<Element>.stride], .uint8, on: self)
    elements.withUnsafeBytes { upload($0, to: bytes.pointer) }
    return Uploaded(count: elements.count, bytes: bytes)
  }
}

/// What decides how a card computes, and so what it takes of its memory.
package struct CardKind: Sendable {
  let hasBFloat16: Bool
  /// Kernels of attention in tiles.
  let hasTiles: Bool

  /// Cards since Ampere.
  package static let current = CardKind(hasBFloat16: true, hasTiles: true)
}

/// Numbers of one plain type on a card, as long as this lives.
struct Uploaded<Element: BitwiseCopyable> {
  let count: Int
  fileprivate let bytes: Tensor

  var elements: UnsafePointer<Element> {
    UnsafePointer(bytes.pointer.assumingMemoryBound(to: Element.self))
  }
}
