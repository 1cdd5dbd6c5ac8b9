import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyServer
import FireflyText
import Foundation

/// `firefly serve MODEL`.
enum ServeCommand {
  private static let adapter = Option.text(
    "--adapter", "[NAME=]DIR",
    "Serves the model with this PEFT adapter as NAME (default: the folder's name), beside the base.",
    repeated: true)
  private static let name = Option.text(
    "--name", "NAME", "The base's name in requests (default: that of its file or folder).")
  private static let host = Option.text(
    "--host", "ADDRESS",
    "The address to listen at (default: 127.0.0.1, which only this machine reaches; 0.0.0.0 is all).")
  private static let hostName = Option.text(
    "--host-name", "NAME",
    "A name that others ask the server by (firefly.example), beside localhost, this machine's name and its addresses; "
      + "requests by another name are refused.",
    repeated: true)
  private static let port = Option.integer(
    "--port", "N", in: 0...65_535, "The port (default: 8000); 0 takes a free one.")
  private static let tlsCert = Option.text(
    "--tls-cert", "FILE",
    "Answers by HTTPS (TLS 1.2 or later) with this certificate, in PEM, those that lead to its authority behind it."
  )
  private static let tlsKey = Option.text(
    "--tls-key", "FILE", "The certificate's key, in PEM and without a password.")
  private static let alias = Option.text(
    "--alias", "NAME[=MODEL]", "Another name for a model that is served (default: for the base).",
    repeated: true)
  private static let adapterLoading = Flag(
    "--adapter-loading",
    "Lets requests load and unload adapters while the server runs (/v1/load_lora_adapter), from any folder that it can read."
  )
  private static let pooling = Option.choice(
    "--pooling", Pooling.allCases.map(\.rawValue),
    "What /v1/embeddings makes of a text's states: their mean, or the last (default: as the model's files say, or mean)."
  )
  private static let apiKey = Option.text(
    "--api-key", "KEY",
    "Asks requests for this key, except for pages and /health. FIREFLY_API_KEY does the same unseen by others.",
    repeated: true)
  private static let allowOrigin = Option.text(
    "--allow-origin", "ORIGIN",
    "Lets web pages of this origin (https://example.org, or *) use the server, beside its own.",
    repeated: true)
  private static let template = Option.text(
    "--template", "NAME",
    "The chat template (default: the one that each adapter was trained with; for the base auto, the model's own)."
  )
  private static let rows = Option.integer(
    "--rows", "N", in: 1...4096, "Answers generated at a time (default: 16).")
  private static let queue = Option.integer(
    "--queue", "N", atLeast: 0, "Answers that may wait for a place; more are refused with 429 (default: 256)."
  )
  private static let maxTokens = Option.integer(
    "--max-tokens", "N", atLeast: 1,
    "The most tokens of an answer, and how many a chat's may have when it does not say (default: 4096).")
  private static let cacheMemory = Option.integer(
    "--cache-memory", "MIB", in: 1...1 << 30,
    "Memory for keys and values, of running answers and of finished ones kept for their beginnings (default: 1024)."
  )
  private static let maxBody = Option.integer(
    "--max-body", "KIB", in: 1...1 << 30, "The largest body of a request (default: 8192).")
  private static let maxConnections = Option.integer(
    "--max-connections", "N", in: 1...65_535, "The most connections at a time (default: 512).")
  private static let answerTimeout = Option.integer(
    "--answer-timeout", "S", in: 1...1 << 30,
    "Seconds within which a request must be answered (default: 600).")
  private static let requestTimeout = Option.integer(
    "--request-timeout", "S", in: 1...1 << 30,
    "Seconds within which a connection must bring a whole request (default: 60).")
  private static let grace = Option.integer(
    "--grace", "S", in: 0...1 << 30,
    "Seconds that running answers have when the server is stopped (default: 10).")
  private static let history = Option.text(
    "--history", "FILE", "Appends each exchange of /firefly to this file, as JSON lines.")

  private static let trainingRun = Option.text(
    "--run", "DIR", "Shows the training run of this output_dir at /run, while it goes on and afterwards.")

  static let verb = Verb(
    "serve", summary: "Answers over HTTP, as OpenAI's service does.",
    details: """
      / is a chat page, /run a page of a training run (--run); /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models, /health, /metrics (Prometheus), and the original \
      Firefly's /firefly. Requests run together; equal beginnings of prompts are read once.
      SIGTERM or Ctrl-C stops: running answers may end within --grace; a second one stops at once.
      """,
    positionals: [ModelOptions.model],
    options: [
      adapter.declaration, name.declaration, host.declaration, hostName.declaration, port.declaration,
      tlsCert.declaration, tlsKey.declaration, alias.declaration, adapterLoading.declaration,
      pooling.declaration,
      apiKey.declaration,
      allowOrigin.declaration, template.declaration, rows.declaration, queue.declaration,
      maxTokens.declaration, cacheMemory.declaration, maxBody.declaration, maxConnections.declaration,
      answerTimeout.declaration, requestTimeout.declaration, grace.declaration, history.declaration,
      trainingRun.declaration,
      ModelOptions.precision.declaration, ModelOptions.quantize.declaration,
      DeviceOption.device.declaration,
    ] + TemplateOptions.variableDeclarations + AnswerOptions.samplingDeclarations,
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try AnswerOptions.check(arguments)
    var settings = try options(arguments)
    let adapters = try arguments.all(adapter).map(named)
    let pretrained = try open(arguments, adapters.map(\.folder))
    settings.pooling = try arguments[pooling].flatMap(Pooling.init) ?? pretrained.pooling() ?? .mean
    let defaults = try AnswerOptions.read(arguments, for: pretrained)
    if defaults.numBeams > 1 {
      Messages.note(
        "num_beams \(defaults.numBeams) of the model has no effect: requests to /firefly may ask for beams"
      )
    }
    let model = try ModelOptions.load(pretrained, arguments, adapter: nil).model
    let told = model.notes.count
    let served = try ServedModel.load(
      pretrained, into: model, base: arguments[name], adapters: adapters, template: arguments[template],
      variables: try TemplateOptions.variables(arguments))
    served.compactMap(\.template?.variablesWarning).forEach(Messages.note)
    let loader = AdapterLoader(
      pretrained, model: model, models: served, template: arguments[template],
      variables: try TemplateOptions.variables(arguments))
    model.notes[told...].forEach(Messages.note)
    let server = Server(
      model: model, tokenizer: pretrained.tokenizer, models: served, defaults: defaults, options: settings,
      adapterLoader: arguments[adapterLoading] ? loader : nil)
    let signals = StopSignals()
    try signals.during {
      let port = try server.start()
      for model in served {
        let template = model.template.map { "template \($0.name)" } ?? "no chat template: completions only"
        Messages.line("serving \(model.name) (\(template))")
      }
      tellDifferences(arguments, adapters, served, pretrained)
      Messages.line(
        "listening on \(settings.tls == nil ? "http" : "https")://\(address(settings.host)):\(port)")
      if settings.isOpenToOthers {
        Messages.note(
          "whoever reaches \(settings.host) can use this server; --api-key asks for a key")
      }
      signals.wait()
      Messages.line("stopping")
      server.stop()
    }
  }

  /// A single adapter that adds tokens to the model, or takes its head and embedding apart, has the model opened for it.
  private static func open(_ arguments: Arguments, _ adapters: [String]) throws -> Pretrained {
    let pretrained = try Pretrained.open(arguments[ModelOptions.model])
    guard adapters.count == 1, try !pretrained.takes(adapter: adapters[0]) else { return pretrained }
    return try Pretrained.open(arguments[ModelOptions.model], adapter: adapters[0])
  }

  /// Which adapters are asked in another template than the model's own.
  private static func tellDifferences(
    _ arguments: Arguments, _ adapters: [(name: String, folder: String)], _ served: [ServedModel],
    _ pretrained: Pretrained
  ) {
    guard arguments[template] == nil else { return }
    for adapter in adapters {
      guard let template = served.first(where: { $0.name == adapter.name })?.template,
        let note = pretrained.differenceNote(template, adapter: adapter.folder)
      else { continue }
      Messages.note(note)
    }
  }

  private static func options(_ arguments: Arguments) throws -> ServerOptions {
    var options = ServerOptions()
    options.host = arguments[host] ?? options.host
    options.hostNames = Set(arguments.all(hostName))
    options.port = arguments[port] ?? options.port
    options.log = { Messages.line("firefly: a request: \($0)") }
    switch (arguments[tlsCert], arguments[tlsKey]) {
    case (let certificate?, let key?): options.tls = (certificate, key)
    case (nil, nil): break
    case (.some, nil): throw UsageError("--tls-cert needs --tls-key", verb: "serve")
    case (nil, .some): throw UsageError("--tls-key needs --tls-cert", verb: "serve")
    }
    options.aliases = try arguments.all(alias).map(aliased)
    options.apiKeys = arguments.all(apiKey)
    if let key = ProcessInfo.processInfo.environment["FIREFLY_API_KEY"] { options.apiKeys.append(key) }
    guard !options.apiKeys.contains("") else { throw UsageError("an API key is empty", verb: "serve") }
    options.allowedOrigins = Set(arguments.all(allowOrigin))
    options.rows = arguments[rows] ?? options.rows
    options.queue = arguments[queue] ?? options.queue
    options.maxTokens = arguments[maxTokens] ?? options.maxTokens
    options.cacheBytes = arguments[cacheMemory].map { $0 << 20 } ?? options.cacheBytes
    options.bodyBytes = arguments[maxBody].map { $0 << 10 } ?? options.bodyBytes
    options.connections = arguments[maxConnections] ?? options.connections
    options.answerTime = arguments[answerTimeout].map { .seconds($0) } ?? options.answerTime
    options.requestTime = arguments[requestTimeout].map { .seconds($0) } ?? options.requestTime
    options.graceTime = arguments[grace].map { .seconds($0) } ?? options.graceTime
    options.history = arguments[history]
    options.runFolder = arguments[trainingRun]
    return options
  }

  /// `NAME=DIR`, or a folder whose last part is the name.
  private static func named(_ text: String) throws -> (name: String, folder: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts.count == 2 ? parts[0] : URL(fileURLWithPath: text).standardizedFileURL.lastPathComponent
    guard let folder = parts.last, !name.isEmpty, !folder.isEmpty else {
      throw UsageError("--adapter must be NAME=DIR or DIR, not \(text)", verb: "serve")
    }
    return (name, folder)
  }

  /// `NAME=MODEL`, or a name for the base.
  private static func aliased(_ text: String) throws -> ServerOptions.Alias {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, !parts.contains("") else {
      throw UsageError("--alias must be NAME or NAME=MODEL, not \(text)", verb: "serve")
    }
    return ServerOptions.Alias(name: name, model: parts.count == 2 ? parts[1] : nil)
  }

  /// An IPv6 address stands in brackets.
  private static func address(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
