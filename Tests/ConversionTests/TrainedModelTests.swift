import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// A model whose weights were trained, written as the folder that it was read from.
@Suite struct TrainedModelTests {
  /// Untrained it is the model again, tensor by tensor under the same names and types; trained it answers as in memory.
  @Test(arguments: Fixtures.families) func everyFamilyComesBack(_ name: String) throws {
    let folder = try TemporaryFolder()
    let source = try ModelSource.open(Fixtures.models(name))
    let model = try Transformer.load(source, compute: .float32, training: FullOptions())
    try write(model, source, to: folder.path + "/same")
    let same = try ModelSource.open(folder.path + "/same").weights
    #expect(try values(same) == values(source.weights))
    #expect(same.names.allSatisfy { same.info($0)?.type == source.weights.info($0)?.type })

    // Powers of two: the files' bfloat16 holds them.
    for parameter in model.parameters { Ops.scale(parameter.value.matrix, by: 0.5) }
    model.parametersChanged()
    try write(model, source, to: folder.path + "/halved")
    let vocabulary = min(model.architecture.vocabularySize, 200)
    let tokens = (0..<24).map { Int32($0 * 37 % vocabulary) }
    let expected = model.logits(tokens: tokens, starts: [0, 24]).floats
    #expect(try logits(folder.path + "/halved") == expected)
    #expect(try logits(folder.path + "/halved") != logits(folder.path + "/same"))
  }

  /// What is frozen is copied; a head that only repeats the embedding is left out.
  @Test func shardsAndAStaleHead() throws {
    let folder = try TemporaryFolder()
    let original = Fixtures.models("families/qwen2")
    let stored = try ModelSource.open(original).weights
    var tensors = try stored.names.map { name in
      (name, try stored.tensor(name, shape: stored.shape(of: name), as: .bfloat16))
    }
    tensors.append(
      ("lm_head.weight", try stored.tensor("model.embed_tokens.weight", shape: [97, 48], as: .bfloat16)))
    try AtomicFile.makeFolder(folder.path + "/model")
    try SafeTensorsWriter.write(tensors, to: folder.path + "/model/model.safetensors")
    try AtomicFile.write(JSONValue.read(original + "/config.json"), to: folder.path + "/model/config.json")
    let source = try ModelSource.open(folder.path + "/model")
    let model = try Transformer.load(source, compute: .float32, training: FullOptions(frozenLayers: 1))
    try AtomicFile.makeFolder(folder.path + "/out")
    try TrainedModelFiles(model, readFrom: source, shardLimit: 20_000).write(to: folder.path + "/out")
    #expect(try names(in: folder.path + "/out").contains("model.safetensors.index.json"))
    #expect(try values(ModelSource.open(folder.path + "/out").weights) == values(stored))

    // In the same folder, one file in place of many and of an adapter.
    try AtomicFile.write(.object([:]), to: folder.path + "/out/adapter_config.json")
    try TrainedModelFiles(model, readFrom: source).write(to: folder.path + "/out")
    #expect(try names(in: folder.path + "/out") == ["config.json", "model.safetensors"])
  }

  private func write(_ model: Transformer, _ source: ModelSource, to folder: String) throws {
    try AtomicFile.makeFolder(folder)
    try TrainedModelFiles(model, readFrom: source).write(to: folder)
  }
}
