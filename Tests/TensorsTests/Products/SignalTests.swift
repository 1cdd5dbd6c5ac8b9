import FireflyTensors
import Foundation
import Synchronization
import Testing

/// What a signal's handler meets in the middle of a product.
@Suite struct SignalTests {
  private static let stackSize = 1 << 20

  /// oneDNN's float32 kernels use the stack pointer for a buffer of the heap's, where a handler would write its frame.
  @Test func handlersRunOnTheThreadsStack() throws {
    // Nobody else has a use for this one, and it is sent to one thread.
    let before = signal(SIGURG) { _ in
      var here = 0
      let place = withUnsafePointer(to: &here) { Int(bitPattern: $0) }
      // The first one comes before the products.
      if handled.add(1, ordering: .relaxed).newValue == 1 { usual.store(place, ordering: .relaxed) }
      if abs(place - usual.load(ordering: .relaxed)) > SignalTests.stackSize {
        outside.add(1, ordering: .relaxed)
      }
    }
    defer { signal(SIGURG, before) }
    let (ready, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let worker = Thread {
      var urgent = sigset_t()
      sigemptyset(&urgent)
      sigaddset(&urgent, SIGURG)
      pthread_sigmask(SIG_UNBLOCK, &urgent, nil)  // Dispatch's threads, which begin tests, block it
      raise(SIGURG)
      target.store(UInt(pthread_self()), ordering: .relaxed)
      let (a, b) = (Tensor.zeros([64, 512], .float32), Tensor.zeros([512, 96], .float32))
      let out = Tensor.zeros([64, 96], .float32)
      ready.signal()
      while !isOver.load(ordering: .relaxed) { Ops.matmul(out.matrix, a.matrix, b.matrix) }
      done.signal()
    }
    worker.stackSize = Self.stackSize
    worker.start()
    ready.wait()
    let thread = pthread_t(target.load(ordering: .relaxed))
    for _ in 0..<100 {
      let count = handled.load(ordering: .relaxed)
      pthread_kill(thread, SIGURG)
      while handled.load(ordering: .relaxed) == count { sched_yield() }
    }
    isOver.store(true, ordering: .relaxed)
    done.wait()
    #expect(outside.load(ordering: .relaxed) == 0)
  }
}

// A handler has no context.
private let handled = Atomic(0)
private let outside = Atomic(0)
private let isOver = Atomic(false)
private let target = Atomic<UInt>(0)
private let usual = Atomic(0)
