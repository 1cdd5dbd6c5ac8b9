import FireflyBase
import FireflyHub
import FireflyTensors
import FireflyText
import FireflyWeights

/// A 64-bit hash that is the same in every process, to tell whether two inputs are the same; no cryptography.
package struct StableHash {
  private var state: UInt64 = 0

  package init() {}

  package mutating func add(_ value: UInt64) { state = CounterRandom.mix(state ^ value) }

  package mutating func add(_ bytes: some Collection<UInt8>) {
    add(UInt64(bytes.count))
    for byte in bytes { add(UInt64(byte)) }
  }

  /// 16 hexadecimal digits.
  package var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension StableHash {
  /// Of training rows: every token and what is learnt of it.
  package static func of(_ samples: [Sample]) -> String {
    var hash = StableHash()
    for sample in samples {
      hash.add(UInt64(sample.tokens.count))
      for token in sample.tokens { hash.add(UInt64(UInt32(bitPattern: token))) }
      for range in sample.targets { hash.add(UInt64(range.lowerBound) << 32 | UInt64(range.upperBound)) }
    }
    return hash.text
  }

  /// Of a model: its configuration, and of each tensor the name, type, shape and first bytes.
  package static func of(_ source: ModelSource) throws -> String {
    var hash = StableHash()
    hash.add(source.config.text().utf8)
    try hash.add(source.weights)
    return hash.text
  }

  /// Of a PEFT adapter, in the same way.
  package static func of(adapter name: String) throws -> String {
    let folder = try LocalModels().path(of: name, for: .adapter)
    var hash = StableHash()
    hash.add(try JSONValue.read("\(folder)/adapter_config.json").text().utf8)
    try hash.add(WeightStore.open("\(folder)/adapter_model.safetensors"))
    return hash.text
  }

  private mutating func add(_ weights: WeightStore) throws {
    var files: [String: MappedFile] = [:]
    for name in weights.names {
      guard let info = weights.info(name) else { continue }
      let file = try files[info.path] ?? MappedFile(info.path)
      files[info.path] = file
      add("\(name) \(info.type) \(info.shape)".utf8)
      add(file.bytes[info.range].prefix(64))
    }
  }
}
