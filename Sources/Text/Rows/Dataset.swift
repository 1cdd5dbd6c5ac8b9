/// The training rows of a file, in the file's order, and what happened to the others.
public struct Dataset: Sendable {
  public let samples: Samples
  public let report: DatasetReport
}
