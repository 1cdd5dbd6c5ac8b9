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

  /// Runs `body` with the signals caught.
  func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Signals.caught([SIGINT, SIGTERM, SIGHUP], by: { [self] in caught($0) }, during: body)
  }

  private func caught(_ number: Int32) {
    guard !request.isAsked else { _exit(128 + number) }
    signalNumber.store(number, ordering: .relaxed)
    request.stop()
    Messages.line("stopping after this step, with a checkpoint; press Ctrl-C again to stop at once")
  }
}
