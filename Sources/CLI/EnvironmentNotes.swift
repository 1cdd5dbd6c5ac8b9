import FireflyBase

/// What the environment says to the program and nothing reads.
enum EnvironmentNotes {
  private static let prefix = "FIREFLY_"

  /// The variables that are read: by the program, and by its tests and what stands in for a card in them.
  static let known: Set = [
    "FIREFLY_API_KEY", "FIREFLY_DATA_CACHE", "FIREFLY_ISA", "FIREFLY_LANG", "FIREFLY_LIBCUBLAS",
    "FIREFLY_THREADS",
    "FIREFLY_COMMIT", "FIREFLY_MUTATIONS", "FIREFLY_SHARED", "FIREFLY_STAND_IN",
  ]
  private static let languages = ["zh", "en", "c", "posix", ""]

  /// A line for each variable of the program's name that has no effect.
  static func lines(_ environment: [String: String]) -> [String] {
    var lines = environment.keys.filter { $0.hasPrefix(prefix) && !known.contains($0) }.sorted().map { name in
      let nearest = nearestName(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
      return "the environment's \(name) is not known and has no effect\(nearest)"
    }
    if let language = environment["FIREFLY_LANG"],
      !languages.contains(String(language.prefix { $0.isLetter }).lowercased())
    {
      lines.append("FIREFLY_LANG is \"\(language)\", for which English is spoken: there are en and zh")
    }
    return lines
  }
}
