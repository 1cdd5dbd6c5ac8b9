import FireflyBase
import FireflyTensors
import FireflyWeights

/// A 64-bit hash that is the same in every process, to tell whether two inputs are the same; no cryptography.
struct StableHash {
  private var state: UInt64 = 0

  mutating func add(_ value: UInt64) { state = CounterRandom.mix(state ^ value) }

  mutating func add(_ bytes: some Collection<UInt8>) {
    add(UInt64(bytes.count))
    for byte in bytes { add(UInt64(byte)) }
  }

  /// 16 hexadecimal digits.
  var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension StableHash {
  /// Of a model: its configuration, and of each tensor the name, type, shape and first bytes.
  static func of(_ source: ModelSource) throws -> String {
    var hash = StableHash()
    hash.add(source.config.text().utf8)
    var files: [String: MappedFile] = [:]
    for name in source.weights.names {
      guard let info = source.weights.info(name) else { continue }
      let file = try files[info.path] ?? MappedFile(info.path)
      files[info.path] = file
      hash.add("\(name) \(info.type) \(info.shape)".utf8)
      hash.add(file.bytes[info.range].prefix(64))
    }
    return hash.text
  }
}
