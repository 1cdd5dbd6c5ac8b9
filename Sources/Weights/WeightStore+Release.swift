import FireflyBase

extension WeightStore {
  /// Lets go of the file pages that hold `name`, after it was copied or quantised: what is read once shall not fill
  /// the memory. A tensor still in use is read again when touched.
  public func release(_ name: String) {
    guard let stored = stored(name) else { return }
    stored.file.discard(stored.info.range)
  }
}
