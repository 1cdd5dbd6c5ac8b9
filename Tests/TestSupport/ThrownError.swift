import FireflyBase
import Testing

/// The error that `body` throws; records an issue when it throws none or another type.
public func thrownError(
  sourceLocation: SourceLocation = #_sourceLocation, of body: () throws -> Void
) -> FireflyError? {
  #expect(throws: FireflyError.self, sourceLocation: sourceLocation) { try body() }
}
