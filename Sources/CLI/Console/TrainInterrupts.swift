import Dispatch
import FireflyTraining
import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP (a lost terminal) during training: the first asks for a checkpoint and a stop, the second
/// ends the process.
final class TrainInterrupts: Sendable {
  let request = StopRequest()
  private let signalNumber = Atomic<Int32>(0)

  /// 128 and the signal's number, as shells have it; 130 for Ctrl-C.
  var exitStatus: Int32 { 128 + signalNumber.load(ordering: .relaxed) }

  /// Runs `body` with the signals caught, and puts back what they did before.
  func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    let queue = DispatchQueue(label: "firefly.interrupts")
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      let before = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [self] in caught(number) }
      source.resume()
      return (number, before, source)
    }
    defer {
      for (number, before, source) in sources {
        source.cancel()
        signal(number, before)
      }
    }
    return try body()
  }

  private func caught(_ number: Int32) {
    guard !request.isAsked else { _exit(128 + number) }
    signalNumber.store(number, ordering: .relaxed)
    request.stop()
    Messages.line("\nstopping after this step, with a checkpoint; press Ctrl-C again to stop at once")
  }
}
