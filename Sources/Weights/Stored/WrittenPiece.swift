import FireflyTensors

/// What a file's writer asks for when its turn comes, and lets go when it is written.
package struct WrittenPiece<Made> {
  package let make: () throws -> Made
  /// Lets go of what it was made of.
  package let release: () -> Void

  package init(release: @escaping () -> Void = {}, make: @escaping () throws -> Made) {
    self.make = make
    self.release = release
  }
}

/// How much of a large tensor is read, computed or written at a time.
package enum Strips {
  /// Elements: 16 MiB in float32.
  package static let elements = 4 << 20
  static let bytes = 16 << 20
}

extension Tensor {
  /// A mapped file's bytes in pieces, so that no more of its pages lie in memory than are being written.
  ///
  /// - Parameter release: lets go of the pages.
  package func pieces(release: @escaping () -> Void) -> [WrittenPiece<Tensor>] {  // [bytes] uint8
    stride(from: 0, to: count, by: Strips.bytes).map { start in
      WrittenPiece(release: release) { slice(start..<min(start + Strips.bytes, count)) }
    }
  }
}
