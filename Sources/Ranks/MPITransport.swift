import CMPI
import FireflyBase

/// The processes that mpirun or srun started.
final class MPITransport: Transport {
  let rank: Int
  let size: Int

  /// - Throws: `FireflyError` where the library cannot be opened, or knows of other processes than the launcher.
  init(_ launch: Launch) throws {
    let family = launch.isMPICH ? MESSAGES_MPICH : MESSAGES_OPEN_MPI
    if let problem = messages_open(family) {
      throw FireflyError(
        "cannot use MPI, with which this process was started: \(String(cString: problem))",
        fix: launch.isMPICH
          ? "Install MPICH's library, or another with its ABI, on each machine, so that libmpi.so.12 is found."
          : "Install Open MPI on each machine (Debian: openmpi-bin), so that libmpi.so.40 is found.")
    }
    rank = Int(messages_rank())
    size = Int(messages_size())
    if let expected = launch.size, expected != size {
      throw FireflyError(
        "MPI does not see the processes that were started", expected: "\(expected)", found: "\(size)",
        fix: "Start them with the mpirun of the same MPI; with Slurm, with srun --mpi=pmix.")
    }
  }

  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Tag) throws -> any Transfer {
    let message = Message()
    try check(
      messages_send(bytes.baseAddress, Int32(bytes.count), Int32(rank), tag.rawValue, &message.request))
    return message
  }

  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Tag) throws -> any Transfer {
    let message = Message()
    try check(
      messages_receive(bytes.baseAddress, Int32(bytes.count), Int32(rank), tag.rawValue, &message.request))
    return message
  }

  func abort(status: Int32) { messages_abort(status) }

  func close() { messages_close() }

  private final class Message: Transfer {
    var request = messages_request()
    private var isOver = false

    func isDone() throws -> Bool {
      if !isOver { try check(messages_test(&request, &isOver)) }
      return isOver
    }
  }
}

private func check(_ problem: UnsafePointer<CChar>?) throws {
  if let problem { throw FireflyError("MPI: \(String(cString: problem))") }
}
