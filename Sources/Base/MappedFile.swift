import CMappings
import Foundation

/// A file's bytes, mapped and not read: pages come in when touched and are shared between processes.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  /// Valid as long as this object lives.
  package let bytes: UnsafeRawBufferPointer

  /// - Throws: `FireflyError` when the file is missing, unreadable or not a plain file.
  package init(_ path: String) throws {
    self.path = path
    // Without waiting: a pipe that nobody writes to would never open.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FireflyError("cannot open the file: \(String(cString: strerror(errno)))", at: path)
    }
    defer { close(descriptor) }
    bytes = try MappedFile.map(descriptor, path)
  }

  /// - Parameters:
  ///   - descriptor: an open file; it can be closed afterwards.
  ///   - path: what errors call it.
  init(_ descriptor: Int32, as path: String) throws {
    self.path = path
    bytes = try MappedFile.map(descriptor, path)
  }

  private static func map(_ descriptor: Int32, _ path: String) throws -> UnsafeRawBufferPointer {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FireflyError("not a plain file", at: path, found: isFolder ? "a folder" : nil)
    }
    let count = Int(status.st_size)
    guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
      throw FireflyError("cannot map the file: \(String(cString: strerror(errno)))", at: path)
    }
    mappings_add(base, count, path)
    return UnsafeRawBufferPointer(start: base, count: count)
  }

  /// A copy of the whole file. (`Data(file.bytes)` would let the mapping go before the copy.)
  package var data: Data { withExtendedLifetime(self) { Data(bytes) } }

  /// Takes the pages that lie wholly within `range` out of this process's memory; they come in again when touched.
  package func discard(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "\(range) of \(bytes.count) bytes")
    let page = Int(getpagesize())
    let first = (range.lowerBound + page - 1) / page * page
    let last = range.upperBound / page * page
    guard first < last, let base = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + first), last - first, MADV_DONTNEED)
  }

  deinit {
    if let base = bytes.baseAddress {
      mappings_remove(base)
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }
}
