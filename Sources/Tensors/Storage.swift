/// Reference-counted bytes on a device: a block of the device's own, or a window on bytes that somebody else keeps.
package final class Storage: @unchecked Sendable {
  package let device: any Device
  package let byteCount: Int
  /// What the device knows the bytes by. For the device's operations, and for files of the processor's memory.
  package let address: UnsafeMutableRawPointer
  private let origin: Origin

  private enum Origin {
    case block(DeviceBlock)
    case window(owner: AnyObject)
  }

  /// An uninitialised block.
  package init(byteCount: Int, on device: any Device) {
    precondition(byteCount >= 0, "Storage of \(byteCount) bytes")
    let block = device.allocate(byteCount)
    self.device = device
    self.byteCount = byteCount
    address = block.address
    origin = .block(block)
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

/// Memory that a device has handed out.
package struct DeviceBlock {
  package let address: UnsafeMutableRawPointer
  /// What the device rounded the size to.
  package let capacity: Int

  package init(address: UnsafeMutableRawPointer, capacity: Int) {
    self.address = address
    self.capacity = capacity
  }
}
