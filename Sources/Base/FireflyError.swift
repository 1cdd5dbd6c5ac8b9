/// Bad input, told so that its owner can mend it: what is wrong, where, what was expected and found, what to do.
///
/// Everything a file, a configuration, a request or a model can get wrong is thrown as this one type;
/// a programmer's mistake is a `precondition` instead.
public struct FireflyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, as a sentence without a final stop.
  public var what: String
  /// File, line, key or tensor: as exact as is known.
  public var place: String?
  public var expected: String?
  public var found: String?
  /// What the reader can do about it.
  public var fix: String?

  public init(
    _ what: String, at place: String? = nil, expected: String? = nil, found: String? = nil, fix: String? = nil
  ) {
    self.what = what
    self.place = place
    self.expected = expected
    self.found = found
    self.fix = fix
  }

  /// One message: `place: what (expected …, found …). fix`.
  public var description: String {
    var text = place.map { "\($0): " } ?? ""
    text += what
    switch (expected, found) {
    case (let expected?, let found?): text += " (expected \(expected), found \(found))"
    case (let expected?, nil): text += " (expected \(expected))"
    case (nil, let found?): text += " (found \(found))"
    case (nil, nil): break
    }
    if let fix { text += ". \(fix)" }
    return text
  }
}
