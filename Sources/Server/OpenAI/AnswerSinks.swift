import FireflyBase
import FireflyGeneration
import Synchronization

/// Gathers a job's answers and responds when all are there; the first error is the response.
final class WholeAnswer: AnswerSink {
  private let exchange: HTTPExchange
  private let render: @Sendable ([GenerationResult]) -> HTTPResponse
  private let results: Locked<[GenerationResult?]>
  private let hasFailed = Atomic(false)

  init(
    _ exchange: HTTPExchange, count: Int, render: @escaping @Sendable ([GenerationResult]) -> HTTPResponse
  ) {
    self.exchange = exchange
    self.render = render
    results = Locked([GenerationResult?](repeating: nil, count: count))
  }

  func receive(
    _ index: Int, text: String, tokens: ArraySlice<GeneratedToken>,
    outcome: Result<GenerationResult, APIError>?
  ) {
    switch outcome {
    case nil: return
    case .failure(let error):
      if !hasFailed.exchange(true, ordering: .relaxed) { exchange.respond(error.response) }
    case .success(let result):
      let all = results.withLock { results in
        results[index] = result
        return results
      }
      let whole = all.compactMap { $0 }
      if whole.count == all.count { exchange.respond(render(whole)) }
    }
  }
}

/// Sends a job's answers as server-sent events while they grow.
final class StreamedAnswer: AnswerSink {
  private struct Part {
    var sentBytes = 0
    /// Tokens whose text is not sent yet; kept only for log-probabilities.
    var held: [GeneratedToken] = []
    var result: GenerationResult?

    /// The tokens whose text is sent, at least in part.
    mutating func takeTokens() -> [GeneratedToken] {
      let count = held.prefix { $0.offset < sentBytes }.count
      defer { held.removeFirst(count) }
      return Array(held.prefix(count))
    }
  }

  private struct State {
    var parts: [Part]
    var hasFailed = false
  }

  private let exchange: HTTPExchange
  private let format: any AnswerFormat
  private let reportsTokens: Bool
  /// The tokens' counts, where they are asked for.
  private let usage: Usage?
  /// What the last part tells.
  private let warnings: JSONValue?
  private let state: Locked<State>

  static let headers = ["Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"]

  init(
    _ exchange: HTTPExchange, _ format: any AnswerFormat, count: Int, reportsTokens: Bool, usage: Usage?,
    warnings: JSONValue?
  ) {
    self.warnings = warnings
    self.exchange = exchange
    self.format = format
    self.reportsTokens = reportsTokens
    self.usage = usage
    state = Locked(State(parts: [Part](repeating: Part(), count: count)))
  }

  /// Sends what comes before the answers; called once the engine has taken the job.
  func open(count: Int) {
    exchange.beginStream(headers: StreamedAnswer.headers)
    for index in 0..<count { format.opening(index).map { send([$0]) } }
  }

  func receive(
    _ index: Int, text: String, tokens: ArraySlice<GeneratedToken>,
    outcome: Result<GenerationResult, APIError>?
  ) {
    state.withLock { state in
      guard !state.hasFailed else { return }
      state.parts[index].sentBytes += text.utf8.count
      if reportsTokens { state.parts[index].held += tokens }
      if !text.isEmpty {
        for part in format.pieces(index, text: text, tokens: state.parts[index].takeTokens()) { send([part]) }
      }
      switch outcome {
      case nil: break
      case .failure(let error):
        state.hasFailed = true
        exchange.send("data: \(error.json.text())\n\n")
        exchange.endStream()
      case .success(let result):
        state.parts[index].result = result
        let results = state.parts.compactMap(\.result)
        let isOver = results.count == state.parts.count
        let parts = format.closing(index, result.finishReason)
        for (place, part) in parts.enumerated() {
          send([part], isLast: isOver && usage == nil && place == parts.count - 1)
        }
        if isOver { close(results) }
      }
    }
  }

  private func close(_ results: [GenerationResult]) {
    if let usage { send([], usage: usage.json(results), isLast: true) }
    exchange.send("data: [DONE]\n\n")
    exchange.endStream()
  }

  /// Sends a part; with usage asked for, all parts but the last have it as null.
  private func send(_ choices: [JSONValue], usage: JSONValue? = nil, isLast: Bool = false) {
    let null: JSONValue? = self.usage == nil ? nil : .null
    let message = format.header.message(
      choices, usage: usage ?? null, warnings: isLast ? warnings : nil, isPart: true)
    exchange.send("data: \(message.text())\n\n")
  }
}
