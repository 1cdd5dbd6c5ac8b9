import FireflyBase
import FireflyDoubles
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyTestSupport
import FireflyText
import FireflyTraining
import FireflyWeights
import Foundation
import Testing

/// Runs that train embedding and head beside an adapter where the head is the embedding, and where tokens were added.
@Suite struct TableTrainingTests {
  private static let file = "adapter_model.safetensors"
  private static let embedding = "base_model.model.model.embed_tokens.weight"
  private static let head = "base_model.model.lm_head.weight"

  private static let saved: [String: JSONValue] = [
    "modules_to_save": .array([.string("embed_tokens"), .string("lm_head")])
  ]
  private static let together = saved.merging(["ensure_weight_tying": .bool(true)]) { $1 }
  private static let embeddingAlone: [String: JSONValue] = [
    "modules_to_save": .array([.string("embed_tokens")]), "resize_vocab": .bool(true),
  ]
  private static let resized = saved.merging(["resize_vocab": .bool(true)]) { $1 }
  private static let pairsAlone: [String: JSONValue] = ["resize_vocab": .bool(true)]

  /// A tiny model that is tied or not, whose tokenizer has 270 tokens for 264 rows, and rows that use a new one.
  private static func tiny(tied: Bool) throws -> TinyRun {
    let tiny = try TinyRun(rows: 9, tied: tied, addedTokens: 12)
    let rows = TinyRun.lines(9).replacing("say ", with: "<new2>say <new11>")
    try tiny.write(rows, to: tiny.rows)
    return tiny
  }

  private func table(_ tiny: TinyRun, _ run: String, _ name: String) throws -> Tensor {
    let store = try WeightStore.open("\(tiny.path)/\(run)/\(Self.file)")
    return try store.tensor(name, shape: store.shape(of: name), as: .float32)
  }

  /// Every way that the tables are held goes on bit for bit, is used as it was trained, and is trained further.
  @Test(arguments: [true, false], ["saved", "embedding", "pairs"])
  func addedTokensAreTrained(_ tied: Bool, _ which: String) throws {
    let tiny = try Self.tiny(tied: tied)
    let changes =
      ["saved": Self.resized, "embedding": Self.embeddingAlone, "pairs": Self.pairsAlone][which] ?? [:]
    let whole = try TinyRun.run(tiny.config("whole", changes))
    _ = try TinyRun.run(tiny.config("parts", changes), stopAfter: 3)
    let second = try TinyRun.run(tiny.config("parts", changes), resume: .latest)
    #expect(second.trainLoss == whole.trainLoss)
    #expect(try tiny.folder.data("whole/\(Self.file)") == tiny.folder.data("parts/\(Self.file)"))
    #expect(try table(tiny, "whole", Self.embedding).shape == [270, 64])

    // Used: the model is opened for the adapter, and its text can hold the new tokens.
    let folder = tiny.path + "/whole"
    let opened = try Pretrained.open(tiny.model, adapter: folder)
    let model = try opened.load(.init(compute: .float32, adapter: folder))
    #expect(model.architecture.vocabularySize == 270)
    #expect(model.architecture.tiedHead == (tied && which == "pairs"))
    let tokens = try opened.tokenizer.encode("<new2>say <new11>", parseSpecial: true)
    #expect(tokens.contains(260) && tokens.contains(269))
    #expect(!Ops.hasNonFinite(model.logits(tokens: tokens, starts: [0, Int32(tokens.count)])))

    // Trained further, with the tokenizer that its folder brings: the first loss is the one it has come to.
    let further: [String: JSONValue] = [
      "adapter_name_or_path": .string(folder), "lora_dropout": .int(0), "max_steps": .int(2),
      "learning_rate": .int(0),
    ]
    _ = try TinyRun.run(tiny.config("further", further))
    for name in try WeightStore.open("\(folder)/\(Self.file)").names {
      #expect(try table(tiny, "further", name).floats == table(tiny, "whole", name).floats, "\(name)")
    }
    #expect(
      try tiny.folder.data("further/tokenizer.json") == tiny.folder.data("whole/tokenizer.json"))
  }

  /// As PEFT, head and embedding part where they are trained, unless `ensure_weight_tying` keeps them one.
  @Test func aTiedHeadPartsOrStays() throws {
    let tiny = try TinyRun(rows: 9, tied: true)
    _ = try TinyRun.run(tiny.config("apart", Self.saved))
    #expect(try table(tiny, "apart", Self.head).floats != table(tiny, "apart", Self.embedding).floats)

    let whole = try TinyRun.run(tiny.config("one", Self.together))
    #expect(try table(tiny, "one", Self.head).floats == table(tiny, "one", Self.embedding).floats)
    #expect(try tiny.json("one/adapter_config.json")["ensure_weight_tying"] == .bool(true))
    _ = try TinyRun.run(tiny.config("parts", Self.together), stopAfter: 3)
    let second = try TinyRun.run(tiny.config("parts", Self.together), resume: .latest)
    #expect(second.trainLoss == whole.trainLoss)
    #expect(try tiny.folder.data("one/\(Self.file)") == tiny.folder.data("parts/\(Self.file)"))
    let error = #expect(throws: FireflyError.self) {
      try TinyRun.run(tiny.config("parts", Self.saved), resume: .latest)
    }
    #expect(error?.what.contains("\"ensure_weight_tying\"") == true)
  }

  /// Without `resize_vocab` a token without a row is told, not read as another's.
  @Test func aTokenWithoutARowIsNamed() throws {
    let tiny = try Self.tiny(tied: false)
    let error = #expect(throws: FireflyError.self) { try TinyRun.run(tiny.config("out", Self.saved)) }
    #expect(error?.what.contains("the tokenizer gives an id that the model does not have") == true)
    #expect(error?.fix?.contains("\"resize_vocab\": true") == true)
  }

  /// PEFT's rows of single tokens would be frozen in a run that goes on from them.
  @Test func rowsOfSingleTokensAreNotTrainedFurther() throws {
    let tiny = try TinyRun()
    let folder = tiny.path + "/adapter"
    try AtomicFile.makeFolder(folder)
    let config: JSONValue = .object([
      "peft_type": .string("LORA"), "r": .int(4), "lora_alpha": .int(8),
      "target_modules": .array([.string("q_proj")]), "trainable_token_indices": .array([.int(3)]),
    ])
    try AtomicFile.write(config, to: folder + "/adapter_config.json")
    let name = "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta"
    try SafeTensorsWriter.write(
      [(name: name, tensor: Tensor.zeros([1, 64], .float32))], to: "\(folder)/\(Self.file)")
    let error = #expect(throws: FireflyError.self) {
      try Trainer(config: tiny.config("out", ["adapter_name_or_path": .string(folder)])).plan()
    }
    #expect(error?.found == "trainable_token_indices" && error?.place == folder)
  }

  /// All weights: config.json of the result has the new rows too.
  @Test func allWeightsWithAddedTokens() throws {
    let tiny = try Self.tiny(tied: false)
    _ = try TinyRun.run(
      tiny.config("full", ["train_mode": .string("full"), "resize_vocab": .bool(true)]))
    #expect(try tiny.json("full/config.json")["vocab_size"] == .int(270))
    let model = try Pretrained.open(tiny.path + "/full").load(.init(compute: .float32))
    #expect(model.architecture.vocabularySize == 270)
  }
}
