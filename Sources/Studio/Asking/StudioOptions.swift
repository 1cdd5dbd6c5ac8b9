/// Where a studio works and listens.
public struct StudioOptions: Sendable {
  /// What its file browser shows; its runs are kept in `studio` within it.
  public var folder: String
  /// The path of `firefly`, which trains and writes models.
  public var program: String
  /// 0 takes any free port.
  public var port = 0

  public init(folder: String, program: String) {
    self.folder = folder
    self.program = program
  }
}
