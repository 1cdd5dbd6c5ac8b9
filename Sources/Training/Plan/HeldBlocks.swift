import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyWeights

/// The block formats that a run leaves a GGUF file's matrices in; none where they are in NF4 or whole.
package struct HeldBlocks {
  /// Of a block's linear layers, by their names within it: what most of the blocks have. Files give a few of them better
  /// formats.
  private var linears: [String: BlockFormat] = [:]
  /// Of embedding and head, by their names.
  private var tables: [String: BlockFormat] = [:]

  package init(linears: [String: BlockFormat] = [:], tables: [String: BlockFormat] = [:]) {
    self.linears = linears
    self.tables = tables
  }

  init(_ setup: RunSetup) {
    guard setup.holdsBlocks else { return }
    let (a, weights) = (setup.architecture, setup.pretrained.source.weights)
    func format(_ name: String) -> BlockFormat? {
      weights.blockFormat(of: a.storedName(name, in: weights))
    }
    var counts: [String: [BlockFormat?: Int]] = [:]
    for layer in 0..<a.layers {
      for linear in a.linears(layer) where !linear.staysWhole {
        counts[linear.name, default: [:]][
          format(a.names.prefix(layer) + linear.name + ".weight"), default: 0] += 1
      }
    }
    linears = counts.compactMapValues { formats in
      formats.max { ($0.value, $0.key?.rawValue ?? -1) < ($1.value, $1.key?.rawValue ?? -1) }?.key
    }
    for name in [a.names.embedding] + (a.tiedHead ? [] : [a.names.head]) where !weights.isReplaced(name) {
      tables[name] = format(name)
    }
  }

  package var isEmpty: Bool { linears.isEmpty && tables.isEmpty }

  /// The formats by the names that the tensors of such a model have.
  package func formats(_ a: Architecture) -> [String: BlockFormat] {
    (0..<a.layers).reduce(into: tables) { formats, layer in
      for linear in a.linears(layer) where !linear.staysWhole {
        formats[a.names.prefix(layer) + linear.name + ".weight"] = linears[linear.name]
      }
    }
  }

  /// Whether the head's products decode it.
  package func holdsHead(of a: Architecture) -> Bool {
    tables[a.tiedHead ? a.names.embedding : a.names.head] != nil
  }
}
