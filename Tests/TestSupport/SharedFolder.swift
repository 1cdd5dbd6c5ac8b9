import FireflyBase
import Foundation

/// Files that are not ours to keep, such as models' real vocabularies, for further tests where somebody has them: the folder that
/// FIREFLY_SHARED names, else `shared` beside the checkout. Every suite passes without them, and a test that is skipped says so.
public enum SharedFolder {
  public static let path: String = {
    let checkout = URL(filePath: #filePath).appending(path: "../../..").standardized
    return ProcessInfo.processInfo.environment["FIREFLY_SHARED"]
      ?? checkout.deletingLastPathComponent().appending(path: "shared").path
  }()

  /// Tells whether files, by their paths in the folder, are those that a test was written for; nil where one is absent.
  public static func hash(_ names: [String]) -> String? {
    var hash = ContentHash()
    for name in names {
      guard let file = try? MappedFile("\(path)/\(name)") else { return nil }
      hash.add(file)
    }
    return hash.digest.text
  }
}
