import Synchronization

/// Asks a run, from any thread, to save and stop at the end of the step it is in.
public final class StopRequest: Sendable {
  private let asked = Atomic(false)

  public init() {}

  public func stop() { asked.store(true, ordering: .relaxed) }

  public var isAsked: Bool { asked.load(ordering: .relaxed) }
}
