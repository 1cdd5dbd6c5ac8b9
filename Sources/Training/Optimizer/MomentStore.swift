import FireflyBase
import FireflyTensors
import Foundation

/// The optimizer's moments: two float32 tensors for each parameter, zero at first.
package final class MomentStore {
  /// First and second moment, as the parameters lie.
  package let moments: [(m: Tensor, v: Tensor)]
  /// All of them together.
  package let byteCount: Int

  /// In memory.
  package init(shapes: [[Int]]) {
    moments = shapes.map { (Tensor.zeros($0, .float32), Tensor.zeros($0, .float32)) }
    byteCount = MomentStore.byteCount(of: shapes)
  }

  /// Moments in one file of `folder`, mapped and shared, so that the system can write pages out and take the memory.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package init(shapes: [[Int]], pagedIn folder: String) throws {
    byteCount = MomentStore.byteCount(of: shapes)
    let file = try UnnamedFile(folder: folder, byteCount: byteCount)
    var offset = 0
    let next = { (shape: [Int]) -> Tensor in
      let count = shape.reduce(4, *)
      let window = UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + count])
      offset += MomentStore.aligned(count)
      return Tensor(
        storage: Storage(borrowing: window, owner: file), byteOffset: 0, shape: shape, dtype: .float32)
    }
    moments = shapes.map { (next($0), next($0)) }
  }

  /// Two tensors for each shape, each on its own cache lines.
  static func byteCount(of shapes: [[Int]]) -> Int {
    shapes.reduce(0) { $0 + 2 * aligned($1.reduce(4, *)) }
  }

  private static func aligned(_ count: Int) -> Int { (count + 63) / 64 * 64 }
}

/// Writable bytes of a file that is deleted as soon as it is open; zero at first.
private final class UnnamedFile {
  let bytes: UnsafeRawBufferPointer

  init(folder: String, byteCount: Int) throws {
    guard byteCount > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
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
        "no room for the optimizer's \(Readable.bytes(byteCount))", status, folder,
        fix: "Free disk space, or set \"optim\": \"adamw_torch\", which keeps them in memory.")
    }
    guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw UnnamedFile.error("cannot map the optimizer's file", errno, folder) }
    bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }

  private static func error(_ what: String, _ code: Int32, _ place: String, fix: String? = nil)
    -> FireflyError
  {
    FireflyError("\(what): \(String(cString: strerror(code)))", at: place, fix: fix)
  }
}
