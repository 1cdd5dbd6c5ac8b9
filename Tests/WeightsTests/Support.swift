import FireflyBase
import FireflyTensors
import FireflyWeights
import Foundation
import Testing

/// A folder of its own, gone with the value's last copy.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("weights-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a new file in place of an older one (which may be mapped) and gives its path.
  @discardableResult
  func write(_ name: String, _ data: Data) throws -> String {
    let file = "\(path)/\(name)"
    unlink(file)
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }
}

/// Made by tools/reference/weights_fixtures.py.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"
}

/// A safetensors file of raw parts: whatever header, whatever data.
func safeTensors(_ header: String, data: [UInt8] = []) -> Data {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8) + Data(data)
}

/// The error that `body` throws; records an issue when it throws none or another type.
func error(of body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> FireflyError? {
  #expect(throws: FireflyError.self, sourceLocation: sourceLocation) { try body() }
}

/// The tensor's bytes.
func bytes(_ tensor: Tensor) -> [UInt8] { Array(tensor.bytes) }

/// Bit for bit; names the first difference, not all of the numbers.
func expectBytes(
  _ tensor: Tensor, _ expected: [UInt8], _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = bytes(tensor)
  let size = tensor.dtype.byteCount
  let first = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset
  #expect(
    found.count == expected.count && first == nil,
    "\(name): \(found.count) bytes, expected \(expected.count); element \(first.map { "\($0 / size)" } ?? "none") differs",
    sourceLocation: sourceLocation)
}

/// A bf16 number's bits: float32 rounded to nearest even, by arithmetic and not by the code under test.
func bfloat16Bits(_ value: Float) -> UInt16 {
  if value.isNaN { return UInt16(value.bitPattern >> 16) | 0x40 }
  let bits = value.bitPattern
  return UInt16((UInt64(bits) + 0x7FFF + UInt64((bits >> 16) & 1)) >> 16)
}

/// Little-endian bytes of numbers.
func littleEndian<Number: FixedWidthInteger>(_ values: [Number]) -> [UInt8] {
  values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}
func littleEndian(_ values: [Float]) -> [UInt8] { littleEndian(values.map(\.bitPattern)) }

/// Numbers that look random and are the same in every run (SplitMix64).
struct FixedRandom: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Every way to cut the first `header` bytes of `data` short, and each of them changed once: opening and reading what
/// comes of it must throw or succeed.
func fuzz(_ data: Data, header: Int, _ open: (Data) throws -> Void) -> (refused: Int, accepted: Int) {
  var random = FixedRandom(7)
  var cases = (0..<header).map { Data(data.prefix($0)) }
  for index in 0..<header {
    var changed = data
    changed[index] ^= UInt8.random(in: 1...255, using: &random)
    cases.append(changed)
  }
  let refused = cases.count { candidate in
    do {
      try open(candidate)
      return false
    } catch is FireflyError {
      return true
    } catch {
      Issue.record("another error: \(error)")
      return true
    }
  }
  return (refused, cases.count - refused)
}

/// Reads every tensor of a store as float32, as far as its type allows.
func readAll(_ store: WeightStore) throws {
  for name in store.names {
    guard let info = store.info(name) else { continue }
    _ = try store.tensor(name, shape: info.shape, as: .float32)
  }
}
