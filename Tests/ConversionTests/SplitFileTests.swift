import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// GGUF models in several files, and what files keep of the models that they are made of.
@Suite struct SplitFileTests {
  private func split(_ folder: String, limit: Int = 60_000) throws -> [String] {
    try GGUFExporter(Pretrained.open(Fixtures.model), type: .f32, compute: .float32)
      .write(to: folder + "/a.gguf", partLimit: limit)
  }

  // MARK: - Parts

  @Test func partsAreTheModel() throws {
    try inTemporaryFolder { folder in
      let paths = try split(folder)
      let count = paths.count
      #expect(count > 2)
      #expect(try names(in: folder) == paths.map { ($0 as NSString).lastPathComponent })
      #expect(paths.first?.hasSuffix(String(format: "/a-00001-of-%05d.gguf", count)) == true)
      let original = try values(ModelSource.open(Fixtures.model).weights)
      for path in [paths[0], paths[count - 1]] {
        #expect(try values(ModelSource.open(path).weights) == original)
        #expect(try Pretrained.open(path).tokenizer.vocabularySize == 320)
      }
      #expect(try logits(paths[0]) == logits(Fixtures.model))
      let file = try GGUFFile(paths[0])
      #expect(file.paths == paths && file.metadata["split.count"]?.int == count)
      #expect(file.metadata["split.tensors.count"]?.int == original.count)
    }
  }

  /// A limit below a tensor's size gives it a part of its own; one above all makes one part.
  @Test func partsHoldWholeTensors() throws {
    try inTemporaryFolder { folder in
      let tensors = try ModelSource.open(Fixtures.model).weights.tensorNames.count
      #expect(try split(folder, limit: 1).count == tensors)
      try AtomicFile.makeFolder(folder + "/one")
      let one = try split(folder + "/one", limit: 1_000_000)
      #expect(one == [folder + "/one/a-00001-of-00001.gguf"])
      #expect(try ModelSource.open(one[0]).weights.tensorNames.count == tensors)
    }
  }

  @Test func aPartThatIsThereIsNotReplaced() throws {
    try inTemporaryFolder { folder in
      let paths = try split(folder)
      let other = paths[1]
      try FileManager.default.removeItem(atPath: paths[0])
      let before = FileManager.default.contents(atPath: other)
      #expect(thrownError { _ = try split(folder) }?.place == other)
      #expect(FileManager.default.contents(atPath: other) == before)
      #expect(!FileManager.default.fileExists(atPath: paths[0]))
    }
  }

  // MARK: - Bad sets

  @Test func aMissingPartIsNamed() throws {
    try inTemporaryFolder { folder in
      let paths = try split(folder)
      try FileManager.default.removeItem(atPath: paths[1])
      let refused = thrownError { _ = try ModelSource.open(paths[0]) }
      #expect(refused?.what == "1 of the model's \(paths.count) parts are missing")
      #expect(refused?.found == (paths[1] as NSString).lastPathComponent)
    }
  }

  @Test func partsOfOtherSetsAreRefused() throws {
    try inTemporaryFolder { folder in
      let paths = try split(folder)
      // The third in the place of the second.
      try FileManager.default.removeItem(atPath: paths[1])
      try FileManager.default.copyItem(atPath: paths[2], toPath: paths[1])
      let refused = thrownError { _ = try ModelSource.open(paths[0]) }
      #expect(refused?.place == paths[1] + ": split.no")
      #expect(refused?.expected == "1" && refused?.found == "2")
    }
  }

  @Test func aNameOfAnotherCountIsRefused() throws {
    try inTemporaryFolder { folder in
      let paths = try split(folder)
      for (number, path) in paths.enumerated() {
        let other = String(format: "\(folder)/a-%05d-of-%05d.gguf", number + 1, paths.count + 1)
        try FileManager.default.moveItem(atPath: path, toPath: other)
      }
      let first = String(format: "\(folder)/a-00001-of-%05d.gguf", paths.count + 1)
      #expect(thrownError { _ = try ModelSource.open(first) }?.place == first)
      let plain = folder + "/plain.gguf"
      try FileManager.default.moveItem(atPath: first, toPath: plain)
      #expect(thrownError { _ = try ModelSource.open(plain) }?.place == plain)
    }
  }

  /// - Returns: the path of the first of two parts of one tensor each.
  private func parts(_ names: [String], in folder: String, saying count: Int) throws -> String {
    let paths = (1...2).map { String(format: "\(folder)/p-%05d-of-00002.gguf", $0) }
    for (number, name) in names.enumerated() {
      try GGUFWriter.write(
        metadata: [
          ("split.no", .uint16(number)), ("split.count", .uint16(2)), ("split.tensors.count", .int32(count)),
        ],
        [GGUFWriter.Item(name: name, shape: [2], type: .float32) { Tensor([Float(number), 1], [2]) }],
        to: paths[number])
    }
    return paths[0]
  }

  @Test func tensorsStandInOnePartAndAreAllThere() throws {
    try inTemporaryFolder { folder in
      #expect(try GGUFFile(parts(["a", "b"], in: folder, saying: 2)).tensors.map(\.name) == ["a", "b"])
      let first = try parts(["a", "a"], in: folder, saying: 2)
      let twice = thrownError { _ = try GGUFFile(first) }
      #expect(
        twice?.what.hasSuffix(first) == true && twice?.place?.hasSuffix("p-00002-of-00002.gguf: a") == true)
      let fewer = try parts(["a", "b"], in: folder, saying: 3)
      #expect(thrownError { _ = try GGUFFile(fewer) }?.place == fewer + ": split.tensors.count")
    }
  }

  // MARK: - What is kept

  private func metadata(_ path: String) throws -> [String: GGUFValue] { try GGUFFile(path).metadata }

  /// A file with more than Firefly reads gives a file with the same.
  @Test func generalAndTokenizerKeysAreKept() throws {
    try inTemporaryFolder { folder in
      try GGUFExporter(Pretrained.open(Fixtures.model), type: .f32).write(to: folder + "/a.gguf")
      let file = try GGUFFile(folder + "/a.gguf")
      let further: [(key: String, value: GGUFWriter.Value)] = [
        ("general.name", .string("A Model")), ("general.license", .string("apache-2.0")),
        ("general.tags", .strings(["text-generation", "数学"])), ("general.base_model.count", .uint32(1)),
        ("general.sampling.temp", .float32(0.7)), ("tokenizer.ggml.fim_pre_token_id", .uint32(3)),
        ("tokenizer.ggml.remove_extra_whitespaces", .bool(false)), ("other.thing", .string("no")),
      ]
      let known = Set(further.map(\.key))
      let pairs = file.pairs { !known.contains($0) } + further
      let items = try ModelSource.open(folder + "/a.gguf").weights
      let tensors = file.tensors.map { info in
        GGUFWriter.Item(name: info.name, shape: info.shape, type: info.type) {
          let name = GGUFArchitecture.of(modelType: "llama")?.tensors.checkpointName(of: info.name) ?? ""
          return try items.tensor(name, shape: info.shape, as: .float32)
        }
      }
      try GGUFWriter.write(metadata: pairs, tensors, to: folder + "/b.gguf")
      try GGUFExporter(Pretrained.open(folder + "/b.gguf"), type: .q8_0).write(to: folder + "/c.gguf")
      let (before, after) = (try metadata(folder + "/b.gguf"), try metadata(folder + "/c.gguf"))
      for key in known where key != "other.thing" { #expect(after[key] == before[key], "\(key)") }
      #expect(after["other.thing"] == nil)
      #expect(after["general.file_type"]?.int == 7)
      for key in before.keys where key.hasPrefix("tokenizer.") {
        #expect(after[key] == before[key], "\(key)")
      }
    }
  }

  /// A folder's licence stands in its model card.
  @Test func theCardsLicenceIsKept() throws {
    try inTemporaryFolder { folder in
      let model = folder + "/My-Model"
      try FileManager.default.copyItem(atPath: Fixtures.model, toPath: model)
      let card =
        "---\nlicense: other\nlicense_name: \"some-licence\"\ntags:\n- x\n---\n# A model\nlicense_link: no\n"
      try AtomicFile.write(Data(card.utf8), to: model + "/README.md")
      try GGUFExporter(Pretrained.open(model), type: .f16).write(to: folder + "/a.gguf")
      let found = try metadata(folder + "/a.gguf")
      #expect(found["general.name"]?.string == "My-Model")
      #expect(found["general.license"]?.string == "other")
      #expect(found["general.license.name"]?.string == "some-licence")
      #expect(found["general.license.link"] == nil)
    }
  }
}
