import FireflyBase

extension Tensor {
  /// - Parameters:
  ///   - what: names the tensor in the error, `place` the file and the tensor in it.
  /// - Throws: `FireflyError` when an element is an infinity or NaN.
  package func checkFinite(_ what: String = "the tensor", at place: String) throws {
    guard Ops.hasNonFinite(self) else { return }
    throw FireflyError(
      "\(what) holds numbers that are not finite", at: place, found: "an infinity or NaN in \(dtype)",
      fix: "The file is damaged, or its numbers are too large for \(dtype): take another one.")
  }
}
