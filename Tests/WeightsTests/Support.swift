import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Made by tools/reference/weights_fixtures.py.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"
}

/// A safetensors file of raw parts: whatever header, whatever data.
func safeTensors(_ header: String, data: [UInt8] = []) -> Data {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8) + Data(data)
}

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

/// Every way to cut the first `header` bytes of `data` short, and each of them changed once: opening and reading what
/// comes of it must throw or succeed.
func fuzz(_ data: Data, header: Int, _ open: (Data) throws -> Void) -> (refused: Int, accepted: Int) {
  var random = TestRandom(seed: 7)
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
