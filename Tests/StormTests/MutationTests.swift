import Firefly
import FireflyTestSupport
import Foundation
import Testing

/// Damaged files of every kind: each is read, or refused with a message; none crashes, and under AddressSanitizer none reads
/// what it must not. FIREFLY_MUTATIONS says how many of a kind are tried.
@Suite(.serialized) struct MutationTests {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  private static let model = tests.appending(path: "CLITests/Fixtures/model").path
  private static let adapter = tests.appending(path: "CLITests/Fixtures/run/adapter").path
  private static let tokenizers = tests.appending(path: "TextTests/Fixtures").path

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // MARK: - A model's files

  /// Opens the model, asks it and gets two tokens.
  private func answer(_ path: String, adapter: String? = nil) throws {
    let pretrained = try Pretrained.open(path, adapter: adapter)
    var options = try pretrained.defaults().options
    options.maxNewTokens = 2
    options.numBeams = min(options.numBeams, 2)
    let template = try pretrained.template(named: "auto", adapter: adapter)
    let prompt = try template.promptTokens(
      history: [Message(role: "user", content: "What is 12 times 7?")], tokenizer: pretrained.tokenizer)
    let model = try pretrained.load(Pretrained.Options(compute: .float32, adapter: adapter))
    let vocabulary = Int32(model.architecture.vocabularySize)
    // A tokenizer with more tokens than the model is refused where a command begins.
    guard prompt.allSatisfy({ $0 < vocabulary }), prompt.count < model.architecture.maxPositions else {
      return
    }
    _ = try Generator(model: model, tokenizer: pretrained.tokenizer)
      .generate([GenerationRequest(prompt: prompt, options: options)])
  }

  private func copy(_ from: String, to name: String) throws -> String {
    let path = folder.path + "/" + name
    try FileManager.default.copyItem(atPath: from, toPath: path)
    return path
  }

  @Test(arguments: [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
    "model.safetensors",
  ])
  func filesOfAModel(_ name: String) throws {
    let model = try copy(Self.model, to: "model")
    try Mutation.each(folder.data("model/" + name), seed: UInt64(name.utf8.count)) { damaged in
      try folder.write(damaged, to: "model/" + name)
      try answer(model)
    }
  }

  @Test(arguments: ["adapter_config.json", "adapter_model.safetensors"])
  func filesOfAnAdapter(_ name: String) throws {
    let adapter = try copy(Self.adapter, to: "adapter")
    try Mutation.each(folder.data("adapter/" + name), seed: UInt64(name.utf8.count)) { damaged in
      try folder.write(damaged, to: "adapter/" + name)
      try answer(Self.model, adapter: adapter)
    }
  }

  @Test func gguf() throws {
    let path = folder.path + "/model.gguf"
    try GGUFExporter(Pretrained.open(Self.model), type: .f32).write(to: path)
    try Mutation.each(folder.data("model.gguf"), seed: 3) { damaged in
      try folder.write(damaged, to: "model.gguf")
      try answer(path)
    }
  }

  @Test(arguments: [
    "unigram.json", "bert.json", "llama3.json", "gemma.json", "metaspace_old.json", "pieces.model",
    "unigram.model",
    "qwen.tiktoken",
  ])
  func tokenizers(_ name: String) throws {
    let data = try Data(contentsOf: URL(filePath: Self.tokenizers + "/" + name))
    let file =
      name.hasSuffix(".model") ? "tokenizer.model" : name.hasSuffix(".json") ? "tokenizer.json" : name
    try Mutation.each(data, seed: 4) { damaged in
      try folder.write(damaged, to: "tokenizer/" + file)
      if name.hasSuffix(".tiktoken") {
        try folder.write(#"{"tokenizer_class": "QWenTokenizer"}"#, to: "tokenizer/tokenizer_config.json")
      }
      let tokenizer = try Pretrained.tokenizer(at: folder.path + "/tokenizer")
      let ids = try tokenizer.encode("Hello, 世界! 12,5\n  é\u{301}<s>", parseSpecial: true)
      _ = tokenizer.decode(ids, skipSpecial: false)
    }
  }

  @Test(arguments: ["old.bin", "state.bin"]) func pickles(_ name: String) throws {
    let data = try Data(contentsOf: Self.tests.appending(path: "WeightsTests/Fixtures/torch/" + name))
    try folder.write("{}", to: "torch/config.json")
    try Mutation.each(data, seed: 7) { damaged in
      try folder.write(damaged, to: "torch/pytorch_model.bin")
      let weights = try ModelSource.open(folder.path + "/torch").weights
      for name in weights.tensorNames {
        guard let info = weights.info(name), info.type.dtype != nil else { continue }
        _ = try weights.tensor(name, shape: info.shape, as: .float32)
      }
    }
  }

  // MARK: - Rows and settings

  @Test(arguments: [
    ("rows.jsonl", #"{"conversation": [{"human": "a", "assistant": "b"}], "system": "c"}"# + "\n"),
    (
      "messages.jsonl",
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 1}]}"#
    ),
    (
      "tools.jsonl",
      #"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}, {"role": "tool", "content": "2", "tool_call_id": "1"}, {"role": "assistant", "content": "b"}]}"#
        + "\n" + #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#
    ),
    ("share.jsonl", #"{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}"#),
    ("list.json", #"[{"instruction": "a", "input": "b", "output": "c", "history": [["d", "e"]]}]"#),
    ("table.csv", "instruction,input,output\n\"a, b\",,c\nd,e,f\n"),
  ])
  func rows(_ name: String, _ text: String) throws {
    let pretrained = try Pretrained.open(Self.model)
    let template = try pretrained.template(named: "auto", adapter: nil)
    try Mutation.each(Data(text.utf8), seed: 5) { damaged in
      let path = try folder.write(damaged, to: name)
      _ = try Dataset.load(path, template: template, tokenizer: pretrained.tokenizer, maxLength: 64)
    }
  }

  @Test(arguments: ["run.json", "run.yaml"]) func configurations(_ name: String) throws {
    let settings: [(String, String)] = [
      ("model_name_or_path", "\"m\""), ("train_file", "\"t\""), ("output_dir", "\"o\""),
      ("template_name", "\"auto\""),
      ("max_seq_length", "64"), ("num_train_epochs", "1"), ("learning_rate", "0.0002"), ("lora_rank", "8"),
      ("lora_target_modules", "[\"q_proj\"]"), ("warmup_steps", "10"), ("optim", "\"paged_adamw_32bit\""),
      ("eval_strategy", "\"no\""), ("bf16", "true"), ("val_size", "0"),
      ("chat_template_kwargs", "{\"enable_thinking\": false}"),
    ]
    let lines = settings.map { name.hasSuffix("json") ? "\"\($0)\": \($1)" : "\($0): \($1)" }
    let text = name.hasSuffix("json") ? "{\(lines.joined(separator: ",\n"))}" : lines.joined(separator: "\n")
    try Mutation.each(Data(text.utf8), seed: 6) { damaged in
      _ = try RunConfig(file: folder.write(damaged, to: name))
    }
  }
}
