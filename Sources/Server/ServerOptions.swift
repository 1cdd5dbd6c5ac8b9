import FireflyGeneration

/// Where a server listens and what it allows.
public struct ServerOptions: Sendable {
  /// The address to listen at; only this machine can reach the default.
  public var host = "127.0.0.1"
  /// 0 takes any free port.
  public var port = 8000
  /// PEM files of a certificate, with those that lead to its authority behind it, and of its key: HTTPS instead of HTTP.
  public var tls: (certificate: String, key: String)?
  /// Keys of which a request must bring one; empty: none is asked for.
  public var apiKeys: [String] = []
  /// Names that others ask the server by, beside localhost, the machine's name and its addresses. Under any other name it
  /// answers nobody, since a page of elsewhere can give its own name the address of this machine.
  public var hostNames: Set<String> = []
  /// Origins of web pages, beside the server's own, that may use it; `*` is all.
  public var allowedOrigins: Set<String> = []

  /// Other names that requests may use.
  public var aliases: [Alias] = []
  /// How `/v1/embeddings` makes one vector of a text's states.
  public var pooling = Pooling.mean

  /// Answers generated at a time.
  public var rows = 16
  /// Answers that may wait for a place; more are refused with 429.
  public var queue = 256
  /// Answers that one request may ask for: prompts times `n`.
  public var answersPerRequest = 256
  /// The most tokens of an answer, and how many it may have when the request does not say.
  public var maxTokens = 4096
  /// Memory for keys and values: of running answers, and of finished ones kept for their beginnings.
  public var cacheBytes = 1 << 30
  /// Tokens of a prompt read in one pass, and the unit in which beginnings are shared: more read faster, less share
  /// shorter ones.
  public var chunk = 64
  /// The time within which a request must be answered.
  public var answerTime = Duration.seconds(600)

  public var bodyBytes = 8 << 20
  public var connections = 512
  /// A connection on which nothing moves is closed.
  public var idleTime = Duration.seconds(60)
  /// A connection that brings no whole request is closed.
  public var requestTime = Duration.seconds(60)
  /// How long running answers may go on when the server stops.
  public var graceTime = Duration.seconds(10)
  /// A file to which `/firefly` appends each exchange as a JSON line; nil: none.
  public var history: String?
  /// The output_dir of a training run to show at `/run`; nil: none.
  public var runFolder: String?
  /// Takes what is to be told to whoever runs the server, a sentence at a time, from any thread: what requests ask for
  /// without effect, each once.
  public var log: @Sendable (String) -> Void = { _ in }

  /// Another name for a model.
  public struct Alias: Sendable {
    public var name: String
    /// The name of the model; nil: the base.
    public var model: String?

    public init(name: String, model: String? = nil) {
      self.name = name
      self.model = model
    }
  }

  public init() {}

  /// Whether other machines can ask without a key.
  package var isOpenToOthers: Bool {
    let isForThisMachine = host.lowercased() == "localhost" || host == "::1" || host.hasPrefix("127.")
    return apiKeys.isEmpty && !isForThisMachine
  }
}
