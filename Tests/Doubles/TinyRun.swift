import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyTraining
import FireflyWeights
import Foundation

/// A folder with a random two-layer LLaMA, or Mixtral, a tokenizer whose ids are bytes, rows, and room for runs.
///
/// The tokenizer is in tokenizer.json, or with `tiktoken` in qwen.tiktoken, as Qwen-1's folders have it.
package final class TinyRun {
  package let folder: TemporaryFolder
  package var path: String { folder.path }
  package var model: String { path + "/model" }
  package var rows: String { path + "/rows.jsonl" }

  /// In each layer; 0: a dense model.
  private let experts: Int
  private let vocabulary: Int
  private static let hidden = 64

  package init(rows count: Int = 12, experts: Int = 0, tiktoken: Bool = false) throws {
    self.experts = experts
    vocabulary = tiktoken ? 256 + 208 : 264  // bytes and special tokens
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
    try writeModel()
    try tiktoken ? writeTiktoken() : writeTokenizer()
    try write(TinyRun.lines(count), to: rows)
  }

  package static func lines(_ count: Int) -> String {
    (0..<count).map { n in
      let sum = String(repeating: "\(n % 10)", count: 1 + n % 5)
      return #"{"conversation": [{"human": "say \#(n)", "assistant": "\#(sum)!"}]}"# + "\n"
    }.joined()
  }

  /// A configuration of this folder: float32, LoRA on NF4, all logged.
  package func config(_ output: String = "out", _ changes: [String: JSONValue] = [:]) throws -> RunConfig {
    let base: [String: JSONValue] = [
      "model_name_or_path": .string(model), "train_file": .string(rows),
      "output_dir": .string("\(path)/\(output)"), "template_name": .string("firefly"),
      "max_seq_length": .int(64),
      "precision": .string("float32"), "lora_rank": .int(4), "lora_alpha": .int(8),
      "lora_dropout": .double(0.1),
      "per_device_train_batch_size": .int(2), "gradient_accumulation_steps": .int(2), "max_steps": .int(6),
      "learning_rate": .double(0.01), "lr_scheduler_type": .string("constant_with_warmup"),
      "warmup_steps": .int(2), "logging_steps": .int(1), "gradient_checkpointing": .bool(true),
      "save_steps": .int(100),
    ]
    return try RunConfig(.object(base.merging(changes) { $1 }), source: "test")
  }

  /// - Parameter step: the run is stopped after this step; nil: it goes to its end.
  package static func run(_ config: RunConfig, stopAfter step: Int? = nil, resume: Resume = .fresh) throws
    -> TrainingResult
  {
    var config = config
    config.resume = resume
    let stop = StopRequest()
    return try Trainer(config: config).run(stop: stop) { event in
      if case .step(let report) = event, report.step == step { stop.stop() }
    }
  }

  /// The model by itself, in float32.
  package func loaded() throws -> Transformer {
    try Transformer.load(ModelSource.open(model), compute: .float32, quantization: .none)
  }

  package func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  package func json(_ name: String) throws -> JSONValue { try JSONValue.read("\(path)/\(name)") }

  // MARK: - The model

  private func writeModel() throws {
    var config: [String: JSONValue] = [
      "architectures": .array([.string("LlamaForCausalLM")]), "model_type": .string("llama"),
      "hidden_size": .int(TinyRun.hidden), "intermediate_size": .int(128), "num_hidden_layers": .int(2),
      "num_attention_heads": .int(4), "num_key_value_heads": .int(2), "vocab_size": .int(vocabulary),
      "max_position_embeddings": .int(128), "rms_norm_eps": .double(1e-5), "rope_theta": .double(10_000),
      "hidden_act": .string("silu"), "tie_word_embeddings": .bool(false),
    ]
    if experts > 0 {
      config["model_type"] = .string("mixtral")
      config["num_local_experts"] = .int(experts)
      config["num_experts_per_tok"] = .int(2)
      config["router_aux_loss_coef"] = .double(0.02)
    }
    try write(JSONValue.object(config).text(indent: 2), to: model + "/config.json")
    try writeWeights()
  }

  /// - Parameter poisoned: a token whose embedding is not a number.
  package func writeWeights(poisoned: Int? = nil) throws {
    var random = CounterRandom(seed: 1)
    var tensors: [(name: String, tensor: Tensor)] = []
    func add(_ name: String, _ shape: [Int], _ scale: Float) {
      let values = (0..<shape.reduce(1, *)).map { _ in (2 * random.float() - 1) * scale }
      tensors.append((name, Tensor(values, shape)))
    }
    func ones(_ name: String) {
      tensors.append((name, Tensor([Float](repeating: 1, count: TinyRun.hidden), [TinyRun.hidden])))
    }
    add("model.embed_tokens.weight", [vocabulary, TinyRun.hidden], 0.3)
    for layer in 0..<2 {
      let prefix = "model.layers.\(layer)."
      ones(prefix + "input_layernorm.weight")
      ones(prefix + "post_attention_layernorm.weight")
      var linears = [
        ("self_attn.q_proj", 64, 64), ("self_attn.k_proj", 32, 64), ("self_attn.v_proj", 32, 64),
        ("self_attn.o_proj", 64, 64),
      ]
      if experts > 0 {
        linears.append(("block_sparse_moe.gate", experts, 64))
        for expert in 0..<experts {
          let name = "block_sparse_moe.experts.\(expert).w"
          linears += [(name + "1", 128, 64), (name + "2", 64, 128), (name + "3", 128, 64)]
        }
      } else {
        linears += [("mlp.gate_proj", 128, 64), ("mlp.up_proj", 128, 64), ("mlp.down_proj", 64, 128)]
      }
      for (name, outputs, inputs) in linears { add("\(prefix)\(name).weight", [outputs, inputs], 0.15) }
    }
    ones("model.norm.weight")
    add("lm_head.weight", [vocabulary, TinyRun.hidden], 0.3)
    if let poisoned {
      var values = tensors[0].tensor.floats
      values[poisoned * TinyRun.hidden] = .nan
      tensors[0].tensor = Tensor(values, tensors[0].tensor.shape)
    }
    try SafeTensorsWriter.write(tensors, to: model + "/model.safetensors")
  }

  // MARK: - The tokenizer

  /// Byte-level BPE without merges: a token for each byte, in the byte's place, then `<s>` and `</s>`.
  private func writeTokenizer() throws {
    var vocabulary: [String: JSONValue] = [:]
    var next = UInt32(256)
    for byte in UInt32(0)..<256 {
      let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      guard let scalar = Unicode.Scalar(isPrintable ? byte : next) else { continue }
      if !isPrintable { next += 1 }
      vocabulary[String(scalar)] = .int(Int(byte))
    }
    let special = [(256, "<s>"), (257, "</s>")].map { id, text -> JSONValue in
      .object([
        "id": .int(id), "content": .string(text), "single_word": .bool(false), "lstrip": .bool(false),
        "rstrip": .bool(false), "normalized": .bool(false), "special": .bool(true),
      ])
    }
    let byteLevel: JSONValue = .object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(true),
      "use_regex": .bool(true),
    ])
    let tokenizer: JSONValue = .object([
      "version": .string("1.0"), "truncation": .null, "padding": .null, "added_tokens": .array(special),
      "normalizer": .null, "pre_tokenizer": byteLevel, "post_processor": .null, "decoder": byteLevel,
      "model": .object([
        "type": .string("BPE"), "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": .bool(false), "byte_fallback": .bool(false),
        "vocab": .object(vocabulary), "merges": .array([]),
      ]),
    ])
    try write(tokenizer.text(), to: model + "/tokenizer.json")
    let config: JSONValue = .object([
      "bos_token": .string("<s>"), "eos_token": .string("</s>"),
      "tokenizer_class": .string("PreTrainedTokenizerFast"),
    ])
    try write(config.text(), to: model + "/tokenizer_config.json")
  }

  /// A rank for each byte, in the byte's place; the special tokens that follow are in the reader.
  private func writeTiktoken() throws {
    let ranks = (UInt8.min...UInt8.max).map { "\(Data([$0]).base64EncodedString()) \($0)\n" }
    try write(ranks.joined(), to: model + "/qwen.tiktoken")
    try write(#"{"tokenizer_class": "QWenTokenizer"}"#, to: model + "/tokenizer_config.json")
  }
}
