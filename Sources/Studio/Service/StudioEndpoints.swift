import FireflyBase
import FireflyServer

/// What the page asks for, by name: a JSON object in, a JSON object out.
final class StudioEndpoints: Sendable {
  static let prefix = "/api/"
  private typealias Answer = @Sendable (StudioEndpoints, StudioRequest) throws -> JSONValue

  private let options: StudioOptions
  private let choices: StartChoices
  private let data: DataPreview
  private let runs: RunStore
  private let conversions = Conversions()
  private let chat: ChatRoom
  /// Plans and previews keep all cores busy: one at a time.
  private let heavy = Locked(())

  init(_ options: StudioOptions, _ chat: ChatRoom) {
    self.options = options
    choices = StartChoices(folder: options.folder)
    data = DataPreview()
    runs = RunStore(folder: options.folder, program: options.program)
    self.chat = chat
  }

  private static let table: [String: Answer] = [
    "start-choices": { studio, _ in studio.choices.json },
    "models": { studio, _ in studio.choices.models },
    "browse": { studio, request in
      try FolderView(root: studio.options.folder).json(of: request.text("folder") ?? "")
    },
    "check": { _, request in try RunDraft(request).json },
    "preview": { studio, request in try studio.heavy.withLock { _ in try studio.data.json(request) } },
    "plan": { studio, request in try studio.heavy.withLock { _ in try RunDraft(request).plan() } },
    "start": { studio, request in try studio.runs.start(request) },
    "runs": { studio, _ in studio.runs.list },
    "run": { studio, request in try studio.runs.run(request) },
    "stop": { studio, request in try studio.runs.stop(request) },
    "resume": { studio, request in try studio.runs.resume(request) },
    "compare": { studio, request in try studio.runs.compare(request) },
    "convert": { studio, request in try studio.conversions.start(request, program: studio.options.program) },
    "conversions": { studio, _ in studio.conversions.list },
    "chat-open": { studio, request in try studio.chat.open(request) },
    "chat-state": { studio, _ in studio.chat.state },
    "chat-close": { studio, _ in
      studio.chat.close()
      return studio.chat.state
    },
  ]

  func answer(_ exchange: HTTPExchange) throws {
    let name = String(exchange.head.path.dropFirst(StudioEndpoints.prefix.count))
    if let side = ChatRoom.Side(rawValue: name) { return try chat.answer(exchange, side) }
    guard exchange.head.path.hasPrefix(StudioEndpoints.prefix), let answer = StudioEndpoints.table[name]
    else {
      throw APIError.notFound
    }
    exchange.respond(.json(try answer(self, StudioRequest(body: exchange.takeRequest().body))))
  }
}
