import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

/// Merged and exported models carry the template and the end token that they were trained with.
@Suite struct TrainedTemplateTests {
  /// A model without a template whose end of sequence is not that of chat, and an adapter that was trained with "qwen".
  private func makeFolders(_ folder: TemporaryFolder, template: String?) throws -> (
    model: String, adapter: String
  ) {
    func copy(_ from: String, _ to: String, but names: Set<String> = []) throws {
      for name in try FileManager.default.contentsOfDirectory(atPath: from) where !names.contains(name) {
        try folder.write(Data(contentsOf: URL(filePath: from + "/" + name)), to: to + "/" + name)
      }
    }
    try copy(Fixtures.model, "model", but: ["chat_template.jinja"])
    if let template { try folder.write(template, to: "model/chat_template.jinja") }
    try folder.write(
      #"{"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}"#, to: "model/tokenizer_config.json")
    try folder.write(#"{"eos_token_id": 0}"#, to: "model/generation_config.json")
    try copy(Fixtures.adapter, "run/a")
    try folder.write(#"{"template_name": "qwen"}"#, to: "run/train_args.json")
    return (folder.path + "/model", folder.path + "/run/a")
  }

  @Test(arguments: [nil, "{% for m in messages %}{{ m.content }}</s>{% endfor %}"])
  func aMergedModelIsTalkedToAsItWasTrained(_ template: String?) throws {
    let folder = try TemporaryFolder()
    let (model, adapter) = try makeFolders(folder, template: template)
    let pretrained = try Pretrained.open(model, adapter: adapter)
    try Merger(
      pretrained.source, adapter: adapter, compute: .float32,
      trained: pretrained.trainedText(adapter: adapter)
    ).write(to: ModelFolder(folder.path + "/merged"))

    let merged = try Pretrained.open(folder.path + "/merged")
    let qwen = try ChatTemplate.named("qwen")
    #expect(try merged.template(named: nil, adapter: nil).writes(as: qwen, merged.tokenizer))
    #expect(merged.tokenizer.eosText == "<|im_end|>")
    #expect(merged.source.generationConfig?["eos_token_id"] == .array([.int(2), .int(0)]))
    #expect(merged.tokenizer.bosText == "<|endoftext|>", "the rest is the model's")
  }

  @Test func anExportedModelIsTalkedToAsItWasTrained() throws {
    let folder = try TemporaryFolder()
    let (model, adapter) = try makeFolders(folder, template: nil)
    let file = folder.path + "/a.gguf"
    try GGUFExporter(
      Pretrained.open(model, adapter: adapter), type: .f32, adapter: adapter, compute: .float32
    ).write(to: file)
    let exported = try Pretrained.open(file)
    #expect(
      try exported.template(named: nil, adapter: nil).writes(as: .named("qwen"), exported.tokenizer))
    #expect(exported.tokenizer.eosText == "<|im_end|>")
    let stored = try GGUFFile(file).metadata
    #expect(stored["tokenizer.ggml.eot_token_id"]?.int == 0, "the model's own end of a text is still one")
  }

  /// What a folder of an adapter or of a model says after training.
  @Test func trainingWritesItsTemplate() throws {
    let folder = try TemporaryFolder()
    let (model, _) = try makeFolders(folder, template: nil)
    let pretrained = try Pretrained.open(model)
    let out = folder.path + "/out"
    try AtomicFile.makeFolder(out)
    try TokenizerFiles.write(
      of: pretrained.source, trained: TrainedText(.named("qwen"), pretrained.tokenizer), to: out)
    let files = try Tokenizers.chatFiles(in: out)
    #expect(files.template == (try ChatTemplate.named("qwen").own.chat))
    #expect(files.eosToken == "<|im_end|>")
    #expect(try Tokenizers.load(out).makesTokens(of: pretrained.tokenizer))
  }
}
