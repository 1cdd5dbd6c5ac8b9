import FireflyBase
import FireflyModels
import FireflyTensors
import Foundation

/// The optimizer's moments of an arena's elements, or of a range of them: float32, zero at first.
package final class MomentStore {
  /// Elements of the arena.
  package let range: Range<Int>
  /// Both moments together.
  package let byteCount: Int
  private let m: Tensor  // [range.count]
  private let v: Tensor  // [range.count]

  /// In memory.
  package init(for range: Range<Int>, on device: any Device = .cpu) {
    self.range = range
    m = .zeros([range.count], .float32, on: device)
    v = .zeros([range.count], .float32, on: device)
    byteCount = MomentStore.byteCount(of: range.count)
  }

  /// In one file of `folder`, mapped and shared, so that the system can write pages out and take the memory.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package init(for range: Range<Int>, pagedIn folder: String) throws {
    self.range = range
    byteCount = MomentStore.byteCount(of: range.count)
    let file = try UnnamedFile(folder: folder, byteCount: byteCount)
    let storage = Storage(lending: file.bytes, owner: file)
    m = Tensor(storage: storage, byteOffset: 0, shape: [range.count], dtype: .float32)
    v = Tensor(storage: storage, byteOffset: byteCount / 2, shape: [range.count], dtype: .float32)
  }

  /// The first and the second moment of some of the elements.
  package func moments(_ part: Range<Int>) -> (m: Tensor, v: Tensor) {
    let own = part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound
    return (m.slice(own), v.slice(own))
  }

  /// Those of a parameter, in its shape.
  package func moments(of slot: ParameterSlot) -> (m: Tensor, v: Tensor) {
    let (m, v) = moments(slot.range)
    return (m.reshaped(slot.shape), v.reshaped(slot.shape))
  }

  /// Each moment on cache lines of its own.
  private static func byteCount(of elements: Int) -> Int { 2 * ((4 * elements + 63) / 64 * 64) }
}

/// Writable bytes of a file that is deleted as soon as it is open; zero at first.
private final class UnnamedFile {
  let bytes: UnsafeMutableRawBufferPointer

  init(folder: String, byteCount: Int) throws {
    guard byteCount > 0 else {
      bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      return
    }
    let path = "\(folder)/.optimizer-state-\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw UnnamedFile.error("cannot make the optimizer's file", errno, path) }
    defer { close(descriptor) }
    unlink(path)
    let status = posix_fallocate(descriptor, 0, off_t(byteCount))
    guard status == 0 else {
      throw UnnamedFile.error(
        "no room for the optimizer's \(Numbers.bytes(byteCount))", status, folder,
        fix: "Free disk space, or set \"optim\": \"adamw_torch\", which keeps them in memory.")
    }
    guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw UnnamedFile.error("cannot map the optimizer's file", errno, folder) }
    bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(base, bytes.count) }
  }

  private static func error(_ what: String, _ code: Int32, _ place: String, fix: String? = nil)
    -> FireflyError
  {
    FireflyError("\(what): \(String(cString: strerror(code)))", at: place, fix: fix)
  }
}
