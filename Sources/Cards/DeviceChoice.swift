import FireflyBase
import FireflyRanks
import FireflyTensors
import Foundation

/// Where a model's tensors lie and its operations run.
public enum DeviceChoice: String, Sendable, CaseIterable {
  /// An NVIDIA card where one can be used, otherwise the processor.
  case auto
  /// The processor.
  case cpu
  /// An NVIDIA card: the machine's first. The processes of one run that a machine has take its cards in turn.
  case cuda

  /// Opens it; a card once in the life of the program.
  ///
  /// - Throws: `FireflyError` when `cuda` is asked for and something of it is missing.
  package func open() throws -> OpenedDevice {
    switch self {
    case .cpu: OpenedDevice(CPU.shared)
    case .cuda: OpenedDevice(try DeviceChoice.card.get())
    case .auto: DeviceChoice.whatOpens { try DeviceChoice.card.get() }
    }
  }

  private static let card = Result {
    let launch = Launch(ProcessInfo.processInfo.environment)
    return try CardDevice.nvidia(place: launch?.localRank ?? 0)
  }

  /// The card, or the processor where it does not open.
  package static func whatOpens(_ card: () throws -> CardDevice) -> OpenedDevice {
    do {
      return OpenedDevice(try card())
    } catch {
      let hasNoDriver = (error as? FireflyError)?.what == CardDevice.noDriver
      return OpenedDevice(
        CPU.shared,
        note: "computing on the processor: \(hasNoDriver ? CardDevice.noDriver : "\(error)")",
        isUsual: hasNoDriver)
    }
  }
}

/// A device, and what is to be said of it.
package struct OpenedDevice: Sendable {
  package let device: any Device
  /// One line: where the program computes, and why not on a card.
  package let note: String
  /// Nobody needs to be told: a machine without a driver for a card computes on the processor.
  package let isUsual: Bool

  package init(_ device: any Device) {
    self.init(device, note: "computing on \(device.name)", isUsual: device.isHost)
  }

  fileprivate init(_ device: any Device, note: String, isUsual: Bool) {
    self.device = device
    self.note = note
    self.isUsual = isUsual
  }
}
