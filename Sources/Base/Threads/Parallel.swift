import CPause
import Foundation
import Synchronization

/// The program's one pool of threads.
///
/// Work is cut into tasks by its shape, never by the number of threads, so results do not depend on it.
package enum Parallel {
  /// Threads in use, the calling one included: `Processors.threads`, or what `FIREFLY_THREADS` says.
  /// Set it between computations, never inside a task.
  package static var threads: Int {
    get { ThreadPool.shared.threads }
    set {
      precondition(newValue >= 1, "\(newValue) threads")
      ThreadPool.shared.resize(to: newValue)
    }
  }

  /// Calls `body` with each of 0..<tasks, once, on the pool and the calling thread; returns when all have returned.
  ///
  /// Each task writes to places of its own. Inside a task, or while another thread has the pool, the tasks run on the
  /// calling thread, in order.
  package static func run(_ tasks: Int, _ body: (Int) -> Void) {
    if TaskTrace.wantsRegion {
      TaskTrace.region(tasks, body, run: ThreadPool.shared.run)
    } else {
      ThreadPool.shared.run(tasks, body)
    }
  }

  /// The thread that has asked for the task which the calling one performs; the calling thread itself where it performs none
  /// of another's.
  package static var asker: pthread_t { ThreadPool.shared.asker }

  /// What handing work to other threads took.
  package struct HandOvers: Sendable, Equatable {
    /// How often tasks were shared with other threads.
    package var count = 0
    /// From handing tasks over until all were done; the rest of the time one thread worked alone.
    package var sharedSeconds = 0.0
    /// The part of it in which the thread that gave the tasks had none left and waited for the others.
    package var waitingSeconds = 0.0

    package init() {}
  }

  /// Runs `body` and measures what is handed over meanwhile, by whichever thread.
  package static func measureHandOvers<Result>(_ body: () throws -> Result) rethrows -> (
    result: Result, handOvers: HandOvers
  ) {
    ThreadPool.shared.startMeasuring()
    var handOvers = HandOvers()
    let result: Result
    do {
      defer { handOvers = ThreadPool.shared.stopMeasuring() }
      result = try body()
    }
    return (result, handOvers)
  }

  /// What `FIREFLY_THREADS` asks for; nil when it is not set.
  /// - Throws: `FireflyError` when it is not a number of threads.
  package static func threadsFromEnvironment() throws -> Int? {
    guard let text = ProcessInfo.processInfo.environment["FIREFLY_THREADS"] else { return nil }
    guard let count = Int(text), (1...1024).contains(count) else {
      throw FireflyError("FIREFLY_THREADS is \"\(text)\": expected a number from 1 to 1024")
    }
    return count
  }
}

/// Threads that claim tasks from one word, spin shortly between regions (generating a token is some two hundred of
/// them), then sleep.
private final class ThreadPool: @unchecked Sendable {
  static let shared = ThreadPool(
    threads: (try? Parallel.threadsFromEnvironment()) ?? Processors.threads)

  /// Tasks claimed so far (low half) of the tasks there are (high half). A claim is a compare-and-exchange of the whole
  /// word, so whoever claims a task knows that its region is still running and its body alive.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)
  private let taken = Atomic<Bool>(false)  // a region is running, or the pool is being resized
  private let closing = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let count: Atomic<Int>
  private var workers: [pthread_t] = []  // guarded by `taken`
  private var body: ((Int) -> Void)?  // written while no task can be claimed
  private var caller = pthread_self()  // whose body it is; as above
  private let isMeasured = Atomic<Bool>(false)
  private var handOvers = Parallel.HandOvers()  // guarded by `taken`

  private static let workerSpins = 20_000  // about half a millisecond
  private static let callerSpins = 100_000

  var threads: Int { count.load(ordering: .relaxed) }

  init(threads: Int) {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(work, nil)
    pthread_cond_init(done, nil)
    count = Atomic(threads)
    start(threads - 1)
  }

  func run(_ tasks: Int, _ body: (Int) -> Void) {
    guard tasks > 1, threads > 1, take() else {
      for task in 0..<max(tasks, 0) { body(task) }
      return
    }
    let isMeasured = isMeasured.load(ordering: .relaxed)
    let start = isMeasured ? MonotonicTime.now() : 0
    var ownEnd = 0.0
    withoutActuallyEscaping(body) { body in
      self.body = body
      caller = pthread_self()
      finished.store(0, ordering: .relaxed)
      ticket.store(UInt64(tasks) << 32, ordering: .sequentiallyConsistent)
      wakeWorkers()
      performTasks()
      if isMeasured { ownEnd = MonotonicTime.now() }
      waitUntilFinished(tasks)
      self.body = nil
    }
    if isMeasured {
      let end = MonotonicTime.now()
      handOvers.count += 1
      handOvers.sharedSeconds += end - start
      handOvers.waitingSeconds += end - ownEnd
    }
    taken.store(false, ordering: .releasing)
  }

  // MARK: - Measuring

  func startMeasuring() {
    while !take() { sched_yield() }
    handOvers = Parallel.HandOvers()
    isMeasured.store(true, ordering: .relaxed)
    taken.store(false, ordering: .releasing)
  }

  func stopMeasuring() -> Parallel.HandOvers {
    while !take() { sched_yield() }
    defer { taken.store(false, ordering: .releasing) }
    isMeasured.store(false, ordering: .relaxed)
    return handOvers
  }

  func resize(to threads: Int) {
    while !take() { sched_yield() }
    closing.store(true, ordering: .sequentiallyConsistent)
    wakeWorkers()
    for worker in workers { pthread_join(worker, nil) }
    workers = []
    closing.store(false, ordering: .sequentiallyConsistent)
    count.store(threads, ordering: .relaxed)
    start(threads - 1)
    taken.store(false, ordering: .releasing)
  }

  private func take() -> Bool {
    taken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
  }

  private func start(_ number: Int) {
    for _ in 0..<number {
      var thread = pthread_t()
      let failure = pthread_create(
        &thread, nil,
        { pool in
          if let pool { Unmanaged<ThreadPool>.fromOpaque(pool).takeUnretainedValue().serve() }
          return nil
        }, Unmanaged.passUnretained(self).toOpaque())
      // Without the thread the work is still done, by those there are.
      if failure == 0 { workers.append(thread) }
    }
  }

  // MARK: - Tasks

  private var hasWork: Bool {
    let word = ticket.load(ordering: .sequentiallyConsistent)
    return word & 0xffff_ffff < word >> 32
  }

  private func claim() -> Int? {
    var word = ticket.load(ordering: .acquiring)
    while word & 0xffff_ffff < word >> 32 {
      let (exchanged, original) = ticket.weakCompareExchange(
        expected: word, desired: word + 1, ordering: .acquiringAndReleasing)
      if exchanged { return Int(word & 0xffff_ffff) }
      word = original
    }
    return nil
  }

  /// Performs tasks until none is left to claim; false if there was none.
  @discardableResult private func performTasks() -> Bool {
    guard let first = claim() else { return false }
    finished.add(performed(from: first), ordering: .sequentiallyConsistent)
    return true
  }

  /// Performs `first` and all that can be claimed after it, and counts them: as long as they do not count as finished,
  /// they are of one region. Not inlined, so that no reference to the body outlives the call: then the region may end.
  @inline(never)
  private func performed(from first: Int) -> Int {
    guard let body else { preconditionFailure("a task without a body") }
    var count = 0
    var next: Int? = first
    while let task = next {
      body(task)
      count += 1
      next = claim()
    }
    return count
  }

  /// Set in threads of the pool alone.
  private static let ofPool: pthread_key_t = {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "no key of a thread's own values is left")
    return key
  }()

  var asker: pthread_t { pthread_getspecific(ThreadPool.ofPool) == nil ? pthread_self() : caller }

  private func serve() {
    pthread_setspecific(ThreadPool.ofPool, Unmanaged.passUnretained(self).toOpaque())
    while true {
      while performTasks() { wakeCaller() }
      if !spin(ThreadPool.workerSpins, until: { hasWork || closing.load(ordering: .relaxed) }) { sleep() }
      if closing.load(ordering: .sequentiallyConsistent) { return }
    }
  }

  // MARK: - Waiting

  private func spin(_ turns: Int, until ready: () -> Bool) -> Bool {
    for _ in 0..<turns {
      if ready() { return true }
      processor_pause()
    }
    return false
  }

  private func sleep() {
    pthread_mutex_lock(lock)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !hasWork && !closing.load(ordering: .sequentiallyConsistent) { pthread_cond_wait(work, lock) }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
  }

  private func wakeWorkers() {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    pthread_mutex_lock(lock)
    pthread_cond_broadcast(work)
    pthread_mutex_unlock(lock)
  }

  private func waitUntilFinished(_ tasks: Int) {
    if spin(ThreadPool.callerSpins, until: { finished.load(ordering: .acquiring) == tasks }) { return }
    pthread_mutex_lock(lock)
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while finished.load(ordering: .sequentiallyConsistent) < tasks { pthread_cond_wait(done, lock) }
    callerSleeps.store(false, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
  }

  private func wakeCaller() {
    guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    pthread_mutex_lock(lock)
    pthread_cond_signal(done)
    pthread_mutex_unlock(lock)
  }
}
