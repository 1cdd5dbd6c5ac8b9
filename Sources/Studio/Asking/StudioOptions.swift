/// Where a studio works and listens.
package struct StudioOptions: Sendable {
  /// What its file browser shows; its runs are kept in `studio` within it.
  package var folder: String
  /// The path of `firefly`, which trains and writes models.
  package var program: String
  /// 0 takes any free port.
  package var port = 0

  package init(folder: String, program: String) {
    self.folder = folder
    self.program = program
  }
}
