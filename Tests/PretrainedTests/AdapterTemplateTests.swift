import FireflyBase
import FireflyPretrained
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// The template and the tokenizer travel with the adapter.
@Suite struct AdapterTemplateTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../CLITests/Fixtures").standardizedFileURL.path
  private static let model = fixtures + "/model"
  private static let question = [Message(role: "user", content: "Hi")]
  private static let other = "{% for m in messages %}[{{ m.role }}] {{ m.content }}<|im_end|>{% endfor %}"

  /// An adapter's folder with further files: a run's checkpoint, or what others have saved.
  private func adapter(_ folder: TemporaryFolder, files: [String: String]) throws -> String {
    for name in try FileManager.default.contentsOfDirectory(atPath: Self.fixtures + "/run/adapter") {
      try folder.write(
        Data(contentsOf: URL(filePath: Self.fixtures + "/run/adapter/" + name)), to: "run/a/" + name)
    }
    for (name, text) in files { try folder.write(text, to: name) }
    return folder.path + "/run/a"
  }

  private func prompt(_ template: ChatTemplate, _ pretrained: Pretrained) throws -> String {
    let tokens = try template.promptTokens(history: Self.question, tokenizer: pretrained.tokenizer)
    return pretrained.tokenizer.decode(tokens, skipSpecial: false)
  }

  @Test(arguments: [
    ["run/a/chat_template.jinja": other],
    ["run/a/tokenizer_config.json": JSONValue.object(["chat_template": .string(other)]).text()],
    ["run/a/chat_template.jinja": other, "run/a/train_args.json": #"{"template_name": "auto"}"#],
    ["run/a/chat_template.jinja": other, "run/train_args.json": #"{"template_name": "auto"}"#],
  ])
  func theAdaptersOwnTemplateGoesFirst(_ files: [String: String]) throws {
    let folder = try TemporaryFolder()
    let adapter = try adapter(folder, files: files)
    let pretrained = try Pretrained.open(Self.model, adapter: adapter)
    let template = try pretrained.template(named: nil, adapter: adapter)
    #expect(try prompt(template, pretrained) == "[user] Hi<|im_end|>")
    #expect(pretrained.differenceNote(template, adapter: adapter)?.contains("another chat template") == true)
    // "auto" by name is the adapter's too; any other name is that.
    #expect(
      try prompt(pretrained.template(named: "auto", adapter: adapter), pretrained) == "[user] Hi<|im_end|>")
    #expect(try pretrained.template(named: "default", adapter: adapter) == .named("default"))
    // A server has one tokenizer for all.
    let base = try Pretrained.open(Self.model)
    #expect(try prompt(base.template(named: nil, adapter: adapter), base) == "[user] Hi<|im_end|>")
    try base.requireTokenizer(of: adapter)
  }

  @Test func aRecordedNameGoesBeforeFiles() throws {
    let folder = try TemporaryFolder()
    let adapter = try adapter(
      folder,
      files: ["run/a/chat_template.jinja": Self.other, "run/train_args.json": #"{"template_name": "yi"}"#])
    let pretrained = try Pretrained.open(Self.model, adapter: adapter)
    let template = try pretrained.template(named: nil, adapter: adapter)
    #expect(template == (try .named("yi")))
    #expect(
      pretrained.differenceNote(template, adapter: adapter) == nil, "it writes what the model's own does")
    #expect(try pretrained.trainedText(adapter: adapter)?.template == template.own)
  }

  @Test func variablesOfTrainingAreKept() throws {
    let source = "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{{ enable_thinking }}{{ mood }}"
    let folder = try TemporaryFolder()
    let adapter = try adapter(
      folder,
      files: [
        "run/a/chat_template.jinja": source,
        "run/a/train_args.json":
          #"{"template_name": "auto", "enable_thinking": false, "chat_template_kwargs": {"mood": "glad"}}"#,
      ])
    let pretrained = try Pretrained.open(Self.model, adapter: adapter)
    let trained = try pretrained.template(named: nil, adapter: adapter)
    #expect(try prompt(trained, pretrained) == "Hi<|im_end|>Falseglad")
    let changed = try pretrained.template(
      named: nil, adapter: adapter, variables: ["enable_thinking": .bool(true)])
    #expect(try prompt(changed, pretrained) == "Hi<|im_end|>Trueglad")
  }

  @Test func theAdaptersTokenizerIsUsed() throws {
    let folder = try TemporaryFolder()
    let own = try String(contentsOfFile: Self.model + "/tokenizer.json", encoding: .utf8)
    let adapter = try adapter(
      folder,
      files: [
        "run/a/tokenizer.json": own.replacing("<|im_end|>", with: "<|done|>"),
        "run/a/tokenizer_config.json": #"{"eos_token": "<|done|>"}"#,
      ])
    let pretrained = try Pretrained.open(Self.model, adapter: adapter)
    #expect(pretrained.tokenizer.eosText == "<|done|>")
    #expect(pretrained.tokenizerPath == adapter)
    // Without a template of its own the adapter is talked to with the model's.
    #expect(
      try prompt(pretrained.template(named: nil, adapter: adapter), pretrained).hasPrefix("<|im_start|>"))
    let error = #expect(throws: FireflyError.self) {
      try Pretrained.open(Self.model).requireTokenizer(of: adapter)
    }
    #expect(error?.what == "the adapter brings another tokenizer than the model's")
  }

  @Test func theAdaptersEndTokenStopsToo() throws {
    let folder = try TemporaryFolder()
    let adapter = try adapter(
      folder,
      files: [
        "run/a/chat_template.jinja": Self.other,
        "run/a/tokenizer_config.json": #"{"eos_token": "<|im_start|>"}"#,
      ])
    let pretrained = try Pretrained.open(Self.model)
    let stops = try pretrained.template(named: nil, adapter: adapter).stopIDs(pretrained.tokenizer)
    #expect(stops.map(pretrained.tokenizer.token(of:)) == ["<|im_end|>", "<|im_start|>"])
  }

  @Test func anAdapterThatBringsNothingLeavesTheModels() throws {
    let folder = try TemporaryFolder()
    let adapter = try adapter(folder, files: [:])
    let pretrained = try Pretrained.open(Self.model, adapter: adapter)
    let template = try pretrained.template(named: nil, adapter: adapter)
    #expect(template == (try ChatTemplate.named("auto", tokenizer: pretrained.tokenizer)))
    #expect(pretrained.differenceNote(template, adapter: adapter) == nil)
    #expect(try pretrained.trainedText(adapter: adapter) == nil)
  }
}
