import FireflyBase
import FireflyGeneration
import Foundation

/// What one HTTP request wants answered.
final class AnswerJob: Sendable {
  let requests: [GenerationRequest]
  let sink: any AnswerSink
  let arrived = ContinuousClock.now

  init(_ requests: [GenerationRequest], sink: any AnswerSink) {
    self.requests = requests
    self.sink = sink
  }
}

/// Gets a job's answers as they grow; always on the engine's thread.
protocol AnswerSink: AnyObject, Sendable {
  /// - Parameters:
  ///   - index: of the request within the job.
  ///   - text: what is new and certain.
  ///   - outcome: when this answer has ended.
  func receive(
    _ index: Int, text: String, tokens: ArraySlice<GeneratedToken>,
    outcome: Result<GenerationResult, APIError>?)
}

/// What answers jobs, whatever the model.
protocol AnswerEngine: AnyObject, Sendable {
  /// - Parameter prepare: called before the job's answers begin, unless an error is thrown.
  /// - Throws: `APIError` when too many answers wait or the engine stops.
  func submit(_ job: AnswerJob, prepare: () -> Void) throws
  /// Ends a job's answers with what there is.
  func cancel(_ job: AnswerJob)
  /// Does something with the model between two steps, and returns when it is done.
  ///
  /// - Throws: `APIError` when the engine stops.
  func perform(_ task: @escaping @Sendable () -> Void) throws
  /// Fails jobs with an adapter that come from now on, and calls `release` when those with it have ended.
  func retire(_ adapter: String, release: @escaping @Sendable () -> Void) throws
  /// Takes no more jobs; returns when all have ended, which they must within `grace`.
  func stop(grace: Duration)
}

/// One thread that owns the model and answers jobs through a `Batcher`.
final class Engine<Model: DecodingModel & SendableMetatype>: AnswerEngine, @unchecked Sendable {
  /// Guards what follows.
  private let condition = NSCondition()
  private var submitted: [AnswerJob] = []
  private var cancelled: [AnswerJob] = []
  private var tasks: [@Sendable () -> Void] = []
  private var load = 0  // answers that run or wait
  private var stopAt: ContinuousClock.Instant?
  private var hasStopped = false

  // On the engine's thread only.
  private let batcher: Batcher<Model>
  private var places: [Int: (job: AnswerJob, index: Int)] = [:]
  private var unspoken: Set<Int> = []  // answers without a token so far
  private var retiring: [String: @Sendable () -> Void] = [:]
  private var retired: Set<String> = []

  private let queueLimit: Int
  private let answerTime: Duration
  private let metrics: Metrics

  /// Starts the thread; nobody else may use the batcher's model from here on.
  init(_ batcher: Batcher<Model>, queueLimit: Int, answerTime: Duration, metrics: Metrics) {
    self.batcher = batcher
    self.queueLimit = queueLimit
    self.answerTime = answerTime
    self.metrics = metrics
    let thread = Thread { [self] in run() }
    thread.name = "firefly.engine"
    thread.stackSize = 8 << 20
    thread.start()
  }

  // MARK: - From any thread

  func submit(_ job: AnswerJob, prepare: () -> Void) throws {
    condition.lock()
    defer { condition.unlock() }
    guard stopAt == nil else { throw APIError.stopping }
    guard load < batcher.limits.rows + queueLimit else { throw APIError.queueFull }
    prepare()
    load += job.requests.count
    metrics.loaded(load)
    submitted.append(job)
    condition.broadcast()
  }

  func perform(_ task: @escaping @Sendable () -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    condition.lock()
    guard stopAt == nil else {
      condition.unlock()
      throw APIError.stopping
    }
    tasks.append {
      task()
      done.signal()
    }
    condition.broadcast()
    condition.unlock()
    done.wait()
  }

  func retire(_ adapter: String, release: @escaping @Sendable () -> Void) throws {
    try perform { [self] in
      retired.insert(adapter)
      retiring[adapter] = release
    }
  }

  func cancel(_ job: AnswerJob) {
    condition.lock()
    cancelled.append(job)
    condition.broadcast()
    condition.unlock()
  }

  func stop(grace: Duration) {
    condition.lock()
    defer { condition.unlock() }
    stopAt = stopAt ?? .now + grace
    condition.broadcast()
    while !hasStopped { condition.wait() }
  }

  // MARK: - On the engine's thread

  private func run() {
    while let (new, gone, tasks, isOver) = next() {
      for task in tasks { task() }
      for job in new { add(job) }
      for (id, place) in places where gone.contains(where: { $0 === place.job }) { batcher.cancel(id) }
      if isOver { batcher.cancelAll() }
      endLate()
      let updates = batcher.advance()
      note()
      for update in updates { deliver(update) }
      releaseRetired()
    }
    condition.lock()
    hasStopped = true
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for something to do; nil when the engine is to end.
  private func next() -> (
    new: [AnswerJob], gone: [AnswerJob], tasks: [@Sendable () -> Void], isOver: Bool
  )? {
    condition.lock()
    defer { condition.unlock() }
    while submitted.isEmpty && tasks.isEmpty && batcher.isIdle && stopAt == nil {
      cancelled = []
      condition.wait()
    }
    if stopAt != nil && submitted.isEmpty && tasks.isEmpty && batcher.isIdle { return nil }
    defer {
      submitted = []
      cancelled = []
      tasks = []
    }
    return (submitted, cancelled, tasks, stopAt.map { ContinuousClock.now >= $0 } ?? false)
  }

  private func add(_ job: AnswerJob) {
    for (index, request) in job.requests.enumerated() {
      do {
        // The adapter went while the request was read.
        if let adapter = request.adapter, retired.contains(adapter) { throw APIError.adapterGone }
        let id = try batcher.add(request)
        places[id] = (job, index)
        unspoken.insert(id)
      } catch {
        metrics.failedOne()
        job.sink.receive(index, text: "", tokens: [], outcome: .failure(APIError(error)))
      }
    }
  }

  /// Ends the answers whose time is over.
  private func endLate() {
    let now = ContinuousClock.now
    for (id, place) in places where now - place.job.arrived > answerTime {
      places[id] = nil
      unspoken.remove(id)
      batcher.cancel(id)
      metrics.failedOne()
      place.job.sink.receive(place.index, text: "", tokens: [], outcome: .failure(.timeOut))
    }
  }

  private func deliver(_ update: Batcher<Model>.Update) {
    guard let (job, index) = places[update.id] else { return }
    if !update.tokens.isEmpty, unspoken.remove(update.id) != nil {
      metrics.firstToken(after: .now - job.arrived)
    }
    switch update.outcome {
    case nil: break
    case .failure: metrics.failedOne()
    case .success(let result):
      metrics.ended(
        prompt: job.requests[index].prompt.count, reused: result.reusedCount,
        generated: result.tokens.count, isCancelled: result.finishReason == .cancelled)
    }
    if update.outcome != nil {
      places[update.id] = nil
      unspoken.remove(update.id)
    }
    job.sink.receive(
      index, text: update.text, tokens: update.tokens, outcome: update.outcome?.mapError(APIError.failed))
  }

  private func releaseRetired() {
    for (adapter, release) in retiring where !batcher.isUsing(adapter) {
      retiring[adapter] = nil
      batcher.forget(adapter)
      release()
    }
  }

  private func note() {
    condition.lock()
    load = batcher.runningCount + batcher.waitingCount + submitted.reduce(0) { $0 + $1.requests.count }
    metrics.loaded(load)
    condition.unlock()
    metrics.stepped(running: batcher.runningCount, cacheBytes: batcher.cacheBytes)
  }
}
