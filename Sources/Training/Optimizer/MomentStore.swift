import FireflyModels
import FireflyTensors
import FireflyWeights

/// The optimizer's moments of an arena's elements, or of a range of them: float32, zero at first.
package final class MomentStore {
  /// Elements of the arena.
  package let range: Range<Int>
  /// Both moments together.
  package let byteCount: Int
  private let m: Tensor  // [range.count]
  private let v: Tensor  // [range.count]

  package var device: any Device { m.device }

  /// In the device's memory, which may be another than the values'.
  package init(for range: Range<Int>, on device: any Device) {
    self.range = range
    m = .zeros([range.count], .float32, on: device)
    v = .zeros([range.count], .float32, on: device)
    byteCount = MomentStore.byteCount(of: range.count)
  }

  /// Moments in one file of `folder`, mapped and shared, so that the system can write pages out and take the memory.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package init(for range: Range<Int>, pagedIn folder: String) throws {
    self.range = range
    byteCount = MomentStore.byteCount(of: range.count)
    let storage = try Storage.paged(
      byteCount, in: folder, for: "the optimizer",
      otherwise: "set \"optim\": \"adamw_torch\", which keeps them in memory")
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
