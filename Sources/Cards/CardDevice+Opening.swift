import CCard
import FireflyBase
import Foundation

extension CardDevice {
  /// What an error says where nothing of a card is there at all.
  static let noDriver = "no NVIDIA driver"

  /// One of the machine's NVIDIA cards.
  ///
  /// - Parameters:
  ///   - place: its number among those that the process may see, from the first again where there are fewer.
  ///   - driver: A shared library in the driver's place; nil: libcuda.so.1.
  ///   - cublas: A shared library to use as cuBLAS; nil: what FIREFLY_LIBCUBLAS names, otherwise the newest that the
  ///     system's linker finds.
  /// - Throws: `FireflyError` that says what is missing: no driver, one too old, no card, one too old, no cuBLAS.
  package static func nvidia(place: Int = 0, driver: String? = nil, cublas: String? = nil) throws
    -> CardDevice
  {
    var opened: UnsafeMutablePointer<CCard.card>?
    var detail: UnsafePointer<CChar>?
    let named = cublas ?? ProcessInfo.processInfo.environment["FIREFLY_LIBCUBLAS"]
    let absence = card_open_cuda(UInt32(place), driver, named, &opened, &detail)
    if let opened { return CardDevice(opened) }
    throw missing(absence, detail: detail.map { String(cString: $0) } ?? "", cublas: named)
  }

  private static func missing(_ absence: card_absence, detail: String, cublas: String?) -> FireflyError {
    switch absence {
    case CARD_NO_DRIVER:
      FireflyError(
        CardDevice.noDriver, at: "libcuda.so.1", found: detail,
        fix: "Install the card's driver, or train on the processor with --device cpu.")
    case CARD_OLD_DRIVER:
      FireflyError(
        "the NVIDIA driver is too old", at: "libcuda.so.1",
        expected: "one that takes PTX 6.0 (2018 or later)",
        found: detail, fix: "Install a newer driver.")
    case CARD_NONE:
      FireflyError(
        "no NVIDIA card", at: "libcuda.so.1", found: detail,
        fix: "Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or train on the processor with --device cpu.")
    case CARD_OLD_CARD:
      FireflyError(
        "the NVIDIA card is too old", at: "libcuda.so.1",
        expected: "compute capability 7.0 (Volta, 2017) or later",
        found: detail, fix: "Train on the processor with --device cpu.")
    case CARD_NO_CUBLAS:
      FireflyError(
        "no cuBLAS", at: cublas ?? "libcublas.so.13, .12 or .11", found: detail,
        fix: "pip install nvidia-cublas (PyTorch has it too) and set FIREFLY_LIBCUBLAS to its libcublas.so.")
    case CARD_OLD_CUBLAS:
      FireflyError(
        "cuBLAS is too old", at: cublas ?? "libcublas.so", expected: "version 11 or later", found: detail,
        fix: "pip install nvidia-cublas and set FIREFLY_LIBCUBLAS to its libcublas.so.")
    default:
      FireflyError(
        "the NVIDIA card does not start", at: "libcuda.so.1", found: detail,
        fix: "Look at nvidia-smi: another program may hold the card.")
    }
  }
}
