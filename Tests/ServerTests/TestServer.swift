import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyServer
import FireflyTensors
import FireflyText
import Foundation

/// The tiny model of the command-line tests, which transformers made.
enum TinyModel {
  static let folder =
    ((#filePath as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
    + "/CLITests/Fixtures"
  static let path = folder + "/model"
  static let adapter = folder + "/run/adapter"

  static func open() throws -> (pretrained: Pretrained, model: Transformer) {
    let pretrained = try Pretrained.open(path)
    return (pretrained, try pretrained.load(Pretrained.Options(compute: .float32)))
  }
}

/// A running server of this process, stopped when the test is over.
final class TestServer: Sendable {
  let server: Server
  let client: Client
  private let gate: Gate?

  init(_ server: Server, gate: Gate? = nil) throws {
    self.server = server
    self.gate = gate
    client = Client(port: try server.start())
  }

  deinit {
    gate?.open()
    server.stop()
  }

  /// Serves the tiny model as `tiny` and with its adapter as `tuned`; greedy where a request says nothing.
  static func tiny(
    loadsAdapters: Bool = false, _ change: (inout ServerOptions) -> Void = { _ in }
  ) throws -> TestServer {
    let (pretrained, model) = try TinyModel.open()
    let served = try ServedModel.load(
      pretrained, into: model, base: "tiny", adapters: [("tuned", TinyModel.adapter)])
    let loader = AdapterLoader(pretrained, model: model, models: served)
    var defaults = try pretrained.defaults().options
    defaults.sampling = .greedy
    return try TestServer(
      Server(
        model: model, tokenizer: pretrained.tokenizer, models: served, defaults: defaults,
        options: options(change), adapterLoader: loadsAdapters ? loader : nil))
  }

  /// Serves a model that says `script` after `>`, with which its chats' prompts end.
  static func scripted(
    _ script: String, gate: Gate? = nil, _ change: (inout ServerOptions) -> Void = { _ in }
  ) throws -> TestServer {
    let model = FunctionModel(saying: script, after: ">")
    if let gate { model.beforePass = { gate.pass() } }
    return try serving(model, gate: gate, change)
  }

  /// Serves a model whose chats' prompts end with `>`.
  static func serving(
    _ model: FunctionModel, gate: Gate? = nil, _ change: (inout ServerOptions) -> Void = { _ in }
  ) throws -> TestServer {
    let template = try ChatTemplate.named("minicpm")  // <用户>…<AI>…</s>
    return try TestServer(
      Server(
        model: model, tokenizer: ByteTokenizer(), models: [ServedModel(name: "m", template: template)],
        defaults: greedy(), options: options(change)), gate: gate)
  }

  /// Serves a model that says `script` after `~`, with a template of its own.
  static func scripted(_ script: String, template source: String) throws -> TestServer {
    try talking(FunctionModel(saying: script, after: "~"), template: source)
  }

  /// Serves a model with a template of its own.
  static func talking(_ model: FunctionModel, template source: String) throws -> TestServer {
    var tokenizer = ByteTokenizer()
    tokenizer.chatTemplate = source
    let template = try ChatTemplate.named(ChatTemplate.auto, tokenizer: tokenizer)
    return try TestServer(
      Server(
        model: model, tokenizer: tokenizer, models: [ServedModel(name: "m", template: template)],
        defaults: greedy(), options: options { _ in }))
  }

  private static func options(_ change: (inout ServerOptions) -> Void) -> ServerOptions {
    var options = ServerOptions()
    options.port = 0
    options.graceTime = .zero
    change(&options)
    return options
  }
}

/// Lets a model's passes through one by one, or all.
final class Gate: @unchecked Sendable {
  private let condition = NSCondition()
  private var allowed = 0

  func pass() {
    condition.lock()
    while allowed == 0 { condition.wait() }
    if allowed != .max { allowed -= 1 }
    condition.unlock()
  }

  func allow(_ passes: Int) {
    condition.lock()
    allowed += passes
    condition.broadcast()
    condition.unlock()
  }

  func open() {
    condition.lock()
    allowed = .max
    condition.broadcast()
    condition.unlock()
  }
}
