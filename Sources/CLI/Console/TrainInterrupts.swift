import FireflyTraining
import Foundation
import Synchronization

/// SIGINT, SIGTERM, SIGHUP (a lost terminal) and SIGUSR1 (which mpirun and Slurm pass on) during training: the first asks for
/// a checkpoint and a stop, the second ends the process.
final class TrainInterrupts: Sendable {
  let request = StopRequest()
  /// Says at once that the signal was understood.
  private let tells: Bool
  private let signalNumber = Atomic<Int32>(0)

  init(tells: Bool = true) { self.tells = tells }

  /// 128 and the signal's number, as shells have it: 130 for Ctrl-C; where another rank was asked, that of SIGTERM.
  var exitStatus: Int32 {
    let number = signalNumber.load(ordering: .relaxed)
    return 128 + (number == 0 ? SIGTERM : number)
  }

  /// Runs `body` with the signals caught.
  func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Signals.caught([SIGINT, SIGTERM, SIGHUP, SIGUSR1], by: { [self] in caught($0) }, during: body)
  }

  private func caught(_ number: Int32) {
    guard !request.isAsked else { _exit(128 + number) }
    signalNumber.store(number, ordering: .relaxed)
    request.stop()
    guard tells else { return }
    Messages.line("stopping after this step, with a checkpoint; press Ctrl-C again to stop at once")
  }
}
