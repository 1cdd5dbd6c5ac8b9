import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// An adapter merged into a GGUF file, which stays what it is.
@Suite struct GGUFMergerTests {
  private func write(_ type: GGUFType, in folder: String) throws -> GGUFFile {
    try GGUFExporter(Pretrained.open(Fixtures.model), type: type).write(to: folder + "/base.gguf")
    return try GGUFFile(folder + "/base.gguf")
  }

  private func merge(in folder: String) throws -> GGUFFile {
    let pretrained = try Pretrained.open(folder + "/base.gguf", adapter: Fixtures.adapter)
    try GGUFMerger(pretrained, adapter: Fixtures.adapter).write(to: folder + "/merged.gguf")
    return try GGUFFile(folder + "/merged.gguf")
  }

  private func bytes(_ file: GGUFFile) -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: file.tensors.map { ($0.name, FireflyTestSupport.bytes(file.bytes(of: $0))) })
  }

  @Test(arguments: [GGUFType.q5_1, .q8_0, .f16, .f32]) func onlyWhatTheAdapterChangesIsWrittenAnew(
    _ type: GGUFType
  ) throws {
    try inTemporaryFolder { folder in
      let base = try write(type, in: folder)
      let merged = try merge(in: folder)
      #expect(merged.tensors.map(\.name) == base.tensors.map(\.name))
      #expect(merged.tensors.map(\.type) == base.tensors.map(\.type))
      let (before, after) = (bytes(base), bytes(merged))
      let changed = before.keys.filter { before[$0] != after[$0] }
      let modules = try AdapterFile(Fixtures.adapter).modules
      #expect(changed.count == modules.count)
      #expect(changed.allSatisfy { $0.hasPrefix("blk.") && !$0.contains("norm") })
      // The general keys and the sizes are the file's own; the tokenizer's are those of the exporter's.
      let own = { (file: GGUFFile) in file.metadata.filter { !$0.key.hasPrefix("tokenizer.") } }
      #expect(own(base) == own(merged))
      #expect(merged.metadata["tokenizer.ggml.tokens"] == base.metadata["tokenizer.ggml.tokens"])
    }
  }

  /// In float32 the file is the base and its adapter; in eight bits it is far nearer to that than the base is.
  @Test(arguments: [(GGUFType.f32, Float(1e-4)), (.q8_0, 0.2)]) func itAnswersAsFileAndAdapter(
    _ type: GGUFType, _ share: Float
  ) throws {
    try inTemporaryFolder { folder in
      _ = try write(type, in: folder)
      _ = try merge(in: folder)
      let expected = try logits(folder + "/base.gguf", adapter: Fixtures.adapter)
      func apart(_ path: String) throws -> Float {
        zip(try logits(path), expected).reduce(0) { $0 + abs($1.0 - $1.1) }
      }
      let (merged, base) = (try apart(folder + "/merged.gguf"), try apart(folder + "/base.gguf"))
      #expect(merged <= share * base && base > 0, "\(merged) of \(base)")
    }
  }

  /// Matrices are merged and encoded some rows at a time, whole heads where these have another order.
  @Test func stripsAreTheRowsOfTheWhole() throws {
    try inTemporaryFolder { folder in
      _ = try write(.q8_0, in: folder)
      for path in [Fixtures.model, folder + "/base.gguf"] {
        let weights = try ModelSource.open(path).weights
        for name in weights.tensorNames {
          let shape = try weights.shape(of: name)
          let whole = try weights.tensor(name, shape: shape, as: .float32)
          let strips = try weights.strips(of: name, elements: 256)
          #expect(strips.count > 1 || shape.count == 1, "\(path) \(name)")
          #expect(strips.flatMap(Array.init) == Array(0..<shape[0]))
          for rows in strips {
            let strip = try weights.tensor(name, shape: shape, rows: rows, as: .float32)
            #expect(strip.floats == whole.slice(rows).floats, "\(path) \(name) \(rows)")
          }
        }
      }
    }
  }

  @Test func aFolderIsNoFile() throws {
    let refused = thrownError {
      _ = try GGUFMerger(
        Pretrained.open(Fixtures.model, adapter: Fixtures.adapter), adapter: Fixtures.adapter)
    }
    #expect(refused?.place == Fixtures.model)
  }
}
