/// What carries bytes between the ranks of a run: MPI, or in tests threads of one process.
///
/// Messages between two ranks with one tag come in the order in which they were sent. A transport is used by one thread.
package protocol Transport: AnyObject {
  /// This process's number, from 0.
  var rank: Int { get }
  /// Processes in all.
  var size: Int { get }
  /// Starts sending; the bytes must stay as they are until `isDone`.
  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Tag) throws -> any Transfer
  /// Starts receiving a message of this length.
  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Tag) throws -> any Transfer
  /// Ends all ranks with this exit status.
  func abort(status: Int32)
  /// Leaves the others; nothing is under way.
  func close()
}

/// What a message is about.
package enum Tag: Int32, Sendable {
  case data = 1
  /// "I am here": of ranks that look for one that does not answer, and at the end.
  case presence = 2
}

/// A message under way.
package protocol Transfer: AnyObject {
  /// Whether it is over. Asking also moves it on.
  func isDone() throws -> Bool
}
