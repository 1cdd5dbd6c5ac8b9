import FireflyBase
import FireflyGeneration
import FireflyText

/// An HTTP service for one base model: OpenAI's chat and completions, and the original Firefly's `/firefly`.
///
/// Requests run together in continuous batches; A server that is let go stops.
public final class Server: Sendable {
  private let service: Service
  private let http: HTTPServer
  private let engine: any AnswerEngine
  private let options: ServerOptions

  /// - Parameters:
  ///   - model: has kept an adapter (or none) under each of the `models`' names; only the server may use it from now on.
  ///   - models: what requests may name, the base first.
  ///   - defaults: how answers are chosen where a request says nothing; of them, only the number of beams is not
  ///     taken: it is 1 unless a request to `/firefly` says otherwise.
  ///   - adapterLoader: of the same model, for requests that load adapters while the server runs; nil: there are none.
  public init<Model: DecodingModel & SendableMetatype>(
    model: Model, tokenizer: any Tokenizer, models: [ServedModel], defaults: GenerationOptions,
    options: ServerOptions = ServerOptions(), adapterLoader: AdapterLoader? = nil
  ) {
    var defaults = defaults
    defaults.numBeams = 1
    let metrics = Metrics()
    let batcher = Batcher(
      model: model, tokenizer: tokenizer,
      limits: Batcher.Limits(rows: options.rows, chunk: options.chunk, promptTokens: 4 * options.chunk),
      memory: PromptMemory(entries: .max, bytes: options.cacheBytes, unit: options.chunk))
    let shape = Service.Shape(
      maxPositions: model.maxPositions, vocabularySize: model.vocabularySize, hiddenSize: model.hiddenSize,
      longestToken: Server.longestToken(tokenizer))
    let engine = Engine(
      batcher, queueLimit: options.queue, answerTime: options.answerTime, metrics: metrics)
    let service = Service(
      models: ServedModels(models, aliases: options.aliases), tokenizer: tokenizer, defaults: defaults,
      options: options, shape: shape, engine: engine, metrics: metrics, adapterLoader: adapterLoader)
    let routes = Routes(service, metrics: metrics)
    let http = HTTPServer(
      handler: routes,
      limits: HTTPServer.Limits(
        bodyBytes: options.bodyBytes, connections: options.connections, idleTime: options.idleTime,
        requestTime: options.requestTime))
    routes.countConnections { [weak http] in http?.watch.count ?? 0 }
    self.engine = engine
    self.service = service
    self.http = http
    self.options = options
  }

  /// Listens.
  ///
  /// - Returns: the port.
  /// - Throws: `FireflyError` when the address cannot be had, the history not be written, an alias is wrong, or the certificate and its key not
  ///   be used.
  public func start() throws -> Int {
    try service.history?.check()
    try service.models.checkAliases()
    let tls = try options.tls.map { try TLSIdentity(certificateFile: $0.certificate, keyFile: $0.key) }
    let socket = try ListeningSocket(host: options.host, port: options.port)
    try http.start(socket, tls: tls)
    return socket.port
  }

  /// Takes no more requests, gives the running answers `graceTime` to end, and returns when all is closed.
  public func stop() {
    http.quiesce()
    engine.stop(grace: options.graceTime)
    http.stop()
  }

  /// Answers `POST /v1/chat/completions` that came to another server of this process.
  package func answerChat(_ exchange: HTTPExchange) throws {
    try ChatEndpoint(service: service).answer(exchange)
  }

  deinit { stop() }

  /// As the vocabulary spells it, which is never shorter than the text.
  private static func longestToken(_ tokenizer: any Tokenizer) -> Int {
    (0..<tokenizer.vocabularySize).reduce(1) { longest, id in
      max(longest, Int32(exactly: id).flatMap(tokenizer.token(of:))?.utf8.count ?? 0)
    }
  }
}
