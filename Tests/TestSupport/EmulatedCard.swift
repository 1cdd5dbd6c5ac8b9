import CCardEmulator
import FireflyCards

extension CardDevice {
  /// A card that is not there. Every tensor has a fence behind it, unless blocks are pooled.
  ///
  /// - Parameters:
  ///   - order: In which threads run between barriers: 0 forward, 1 backward, else a random one of this seed.
  ///   - memory: Bytes that it has.
  ///   - bfloat16: false: a card before bfloat16, such as a V100.
  package static func emulated(
    order: UInt32 = 0, memory: Int = 16 << 30, pooling: Bool = false, bfloat16: Bool = true
  ) -> CardDevice {
    let card = card_emulate(order, memory)
    if !bfloat16 { card_emulator_without_bfloat16(card) }
    return CardDevice(card, pooling: pooling)
  }

  /// An emulated card with what it has been asked for so far: kernels and products, and copies to it.
  package static func emulatedAndCounted() -> (
    device: CardDevice, counts: () -> (launches: Int, uploads: Int)
  ) {
    let card = card_emulate(0, 16 << 30)
    let device = CardDevice(card)
    return (
      device,
      {
        let counts = card_emulator_counted(card)
        return (counts.launches, counts.uploads)
      }
    )
  }
}
