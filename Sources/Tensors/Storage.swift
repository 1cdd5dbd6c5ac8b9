import FireflyBase

/// Reference-counted bytes on a device: a block of the device's own, or a window on bytes that somebody else keeps.
public final class Storage: @unchecked Sendable {
  package let device: any Device
  public let byteCount: Int
  /// What the device knows the bytes by. For the device's operations, and for files of the processor's memory.
  package let address: UnsafeMutableRawPointer
  private let origin: Origin

  private enum Origin {
    case block(DeviceBlock)
    case window(owner: AnyObject)
  }

  /// An uninitialised block.
  package init(byteCount: Int, on device: any Device = .cpu) {
    precondition(byteCount >= 0, "Storage of \(byteCount) bytes")
    let block = device.allocate(byteCount)
    self.device = device
    self.byteCount = byteCount
    address = block.address
    origin = .block(block)
  }

  /// A window on the processor's memory, read only: a part of a mapped file.
  ///
  /// - Parameter owner: keeps the bytes alive.
  package init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    device = .cpu
    byteCount = bytes.count
    address = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(StoragePool.empty))
    origin = .window(owner: owner)
  }

  /// A window on the processor's memory that is written to as well.
  ///
  /// - Parameter owner: keeps the bytes alive.
  package init(lending bytes: UnsafeMutableRawBufferPointer, owner: AnyObject) {
    device = .cpu
    byteCount = bytes.count
    address = bytes.baseAddress ?? StoragePool.empty
    origin = .window(owner: owner)
  }

  /// A window on memory of `device` that `owner` keeps.
  package init(_ address: UnsafeMutableRawPointer, byteCount: Int, on device: any Device, owner: AnyObject) {
    self.device = device
    self.byteCount = byteCount
    self.address = address
    origin = .window(owner: owner)
  }

  deinit {
    if case .block(let block) = origin { device.free(block) }
  }
}
