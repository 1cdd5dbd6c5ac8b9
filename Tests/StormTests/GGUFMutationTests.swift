import Firefly
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Damaged GGUF files of every block format, in parts, and importance matrices: read, merged into and exported, or refused
/// with a message.
@Suite(.serialized) struct GGUFMutationTests {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  private static let tiny = tests.appending(path: "CLITests/Fixtures/model").path
  /// Columns of the model's matrices: a block of the widest format.
  private static let width = 256

  private let folder: TemporaryFolder
  private var model: String { folder.path + "/model" }
  private var adapter: String { folder.path + "/adapter" }

  /// A model of one layer with the tiny model's tokenizer, and an adapter.
  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.tiny, toPath: folder.path + "/model")
    let members: [String: JSONValue] = [
      "hidden_size": .int(Self.width), "intermediate_size": .int(Self.width), "head_dim": .int(64),
      "num_hidden_layers": .int(1),
    ]
    let config = (try JSONValue.read(model + "/config.json").object ?? [:]).merging(members) { $1 }
    try folder.write(JSONValue.object(config).text(), to: "model/config.json")
    let layer = "model.layers.0."
    let square = [Self.width, Self.width]
    let shapes: [(name: String, shape: [Int])] =
      ["q_proj", "o_proj"].map { ("\(layer)self_attn.\($0)", square) }
      + ["k_proj", "v_proj"].map { ("\(layer)self_attn.\($0)", [Self.width / 2, Self.width]) }
      + ["gate_proj", "up_proj", "down_proj"].map { ("\(layer)mlp.\($0)", square) }
      + ["\(layer)input_layernorm", "\(layer)post_attention_layernorm", "model.norm"].map {
        ($0, [Self.width])
      }
      + ["model.embed_tokens", "lm_head"].map { ($0, [320, Self.width]) }
    try write(shapes.map { ($0.name + ".weight", $0.shape) }, to: "model/model.safetensors")
    try AtomicFile.makeFolder(adapter)
    try folder.write(
      #"{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}"#,
      to: "adapter/adapter_config.json")
    let pair = "base_model.model.\(layer)self_attn.q_proj.lora_"
    try write(
      [("\(pair)A.weight", [2, Self.width]), ("\(pair)B.weight", [Self.width, 2])],
      to: "adapter/adapter_model.safetensors")
  }

  private func write(_ shapes: [(name: String, shape: [Int])], to file: String) throws {
    try SafeTensorsWriter.write(
      shapes.enumerated().map { number, tensor in
        (name: tensor.name, tensor: Tensor.random(tensor.shape, .float32, seed: UInt64(number)))
      }, to: folder.path + "/" + file)
  }

  /// One thing after another that is done with a model's file.
  private func use(_ path: String, _ turn: inout Int) throws {
    turn += 1
    let out = folder.path + "/out"
    switch turn % 4 {
    case 0:
      let pretrained = try Pretrained.open(path)
      let loaded = try pretrained.load(Pretrained.Options(compute: .float32))
      _ = loaded.logits(tokens: [1, 2, 3], starts: [0, 3])
    case 1: try GGUFExporter(Pretrained.open(path), type: .q8_0).write(to: out + ".gguf", overwrite: true)
    case 2:
      try Merger(ModelSource.open(path), adapter: adapter).write(to: ModelFolder(out, overwrite: true))
    default:
      try GGUFMerger(Pretrained.open(path, adapter: adapter), adapter: adapter)
        .write(to: out + ".gguf", overwrite: true)
    }
  }

  @Test(arguments: [GGUFType.q4_K_M, .q2_K, .q3_K_L, .iq4_XS, .iq4_NL, .q5_1])
  func blocks(_ type: GGUFType) throws {
    let path = folder.path + "/a.gguf"
    try GGUFExporter(Pretrained.open(model), type: type).write(to: path)
    var turn = 0
    try Mutation.each(folder.data("a.gguf"), seed: 11) { damaged in
      try folder.write(damaged, to: "a.gguf")
      try use(path, &turn)
    }
  }

  @Test(arguments: [0, 1]) func parts(_ part: Int) throws {
    let paths = try GGUFExporter(Pretrained.open(model), type: .q4_0)
      .write(to: folder.path + "/a.gguf", partLimit: 150_000)
    let name = (paths[part] as NSString).lastPathComponent
    var turn = 0
    try Mutation.each(folder.data(name), seed: 12) { damaged in
      try folder.write(damaged, to: name)
      try use(paths[0], &turn)
    }
  }

  @Test(arguments: ["gguf", "dat"]) func importance(_ kind: String) throws {
    let name = "matrix." + kind
    let pretrained = try Pretrained.open(model)
    if kind == "gguf" {
      try folder.write("Tom has 3 apples and buys 4 more.", to: "text.txt")
      try ImportanceMatrix(of: folder.path + "/text.txt", by: pretrained, compute: .float32)
        .write(to: folder.path + "/" + name, for: pretrained)
    } else {
      try folder.write(old(["blk.0.attn_q.weight", "blk.0.ffn_down.weight"]), to: name)
    }
    try Mutation.each(folder.data(name), seed: 13) { damaged in
      try folder.write(damaged, to: name)
      let matrix = try ImportanceMatrix(file: folder.path + "/" + name, for: pretrained)
      try GGUFExporter(pretrained, type: .q4_K_M, importance: matrix)
        .write(to: folder.path + "/out.gguf", overwrite: true)
    }
  }

  /// The older form of an importance matrix.
  private func old(_ names: [String]) -> Data {
    var data = Data()
    func add(_ number: Int) {
      withUnsafeBytes(of: Int32(number).littleEndian) { data.append(contentsOf: $0) }
    }
    add(names.count)
    for name in names {
      add(name.utf8.count)
      data.append(contentsOf: name.utf8)
      add(2)
      add(Self.width)
      for column in 0..<Self.width {
        withUnsafeBytes(of: Float(column % 7).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    return data
  }
}
