import FireflyBase
import FireflyTensors

extension KeyReader {
  /// The activation function under `key`, of those that the family has; the first when absent.
  func activation(_ key: String, _ supported: [(name: String, activation: Activation)]) throws -> Activation {
    try refuse(key, unless: supported.map { .string($0.name) })
    let name = try string(key, default: supported[0].name)
    return supported.first { $0.name == name }?.activation ?? supported[0].activation
  }
}
