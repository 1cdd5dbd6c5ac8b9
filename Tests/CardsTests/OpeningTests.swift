import CCard
import CCardEmulator
import FireflyBase
import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// What a user reads where a card, its driver or its memory is missing.
@Suite struct OpeningTests {
  @Test func withoutADriver() {
    let error = thrownError { _ = try CardDevice.nvidia(driver: "libnone.so.1") }
    #expect(error?.what == "no NVIDIA driver")
    #expect(error?.fix?.contains("--device cpu") == true)
  }

  @Test func withoutCuBLAS() {
    let error = thrownError {
      _ = try CardDevice.nvidia(driver: StandIn.path, cublas: "/none/libcublas.so.12")
    }
    #expect(error?.what == "no cuBLAS")
    #expect(error?.place == "/none/libcublas.so.12")
    #expect(error?.fix?.contains("FIREFLY_LIBCUBLAS") == true)
  }

  /// A library that is no driver.
  @Test func withADriverThatLacksAFunction() {
    let error = thrownError { _ = try CardDevice.nvidia(driver: "libm.so.6") }
    #expect(error?.what == "the NVIDIA driver is too old")
    #expect(error?.found?.contains("cu") == true)
  }

  @Test func withADriverThatFindsNoCard() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("FIREFLY_STAND_IN", "no-card", 1)
      let error = thrownError { _ = try CardDevice.nvidia(driver: StandIn.path) }
      exit(error?.what == "no NVIDIA card" ? 7 : 1)
    }
  }

  @Test func withACardFromBeforeVolta() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("FIREFLY_STAND_IN", "old-card", 1)
      let error = thrownError { _ = try CardDevice.nvidia(driver: StandIn.path) }
      let says =
        error?.what == "the NVIDIA card is too old" && error?.found == "a stand-in, of compute capability 6"
      exit(says ? 7 : 1)
    }
  }

  @Test func withADriverTooOldForThePTX() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("FIREFLY_STAND_IN", "old-ptx", 1)
      let error = thrownError { _ = try CardDevice.nvidia(driver: StandIn.path) }
      exit(error?.what == "the NVIDIA driver is too old" ? 7 : 1)
    }
  }

  /// Processes of one machine take its cards in turn.
  @Test func oneOfSeveralCards() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("FIREFLY_STAND_IN", "three-cards", 1)
      let names = try (0..<5).map {
        try CardDevice.nvidia(place: $0, driver: StandIn.path, cublas: StandIn.path).name
      }
      let expected = [
        "a stand-in (card 1 of 3)", "stand-in 1 (card 2 of 3)", "stand-in 2 (card 3 of 3)",
        "a stand-in (card 1 of 3)", "stand-in 1 (card 2 of 3)",
      ]
      exit(names == expected ? 7 : 1)
    }
  }

  @Test func aCardThroughTheDriver() throws {
    let card = try CardDevice.nvidia(driver: StandIn.path, cublas: StandIn.path)
    #expect(card.name == "a stand-in" && card.multipliesBFloat16 && !card.isHost)
    let x = Tensor([1, 2, 3, 4], [2, 2], on: card)
    let y = Tensor([2, 2], .float32, on: card)
    Ops.matmul(y.matrix, x.matrix, x.matrix, transposeB: true)
    #expect(y.floats == [5, 11, 11, 25])
  }

  @Test func memoryThatIsUsedUp() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent],
      performing: {
        let card = CardDevice.emulated(memory: 1 << 20)
        _ = Tensor([1 << 20], .float32, on: card)
      })
    let message = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(message.hasPrefix("error: an emulated card: the card's memory is used up"))
    #expect(message.contains("per_device_train_batch_size"))
  }

  @Test func aCardThatDisappears() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent],
      performing: {
        let lost = card_emulate(0, 1 << 30)
        let card = CardDevice(lost)
        let x = Tensor([1, 2], [2], on: card)
        card_emulator_lose(lost)
        _ = x.floats
      })
    let message = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(message.contains("the card failed") && message.contains("last checkpoint"))
  }
}
