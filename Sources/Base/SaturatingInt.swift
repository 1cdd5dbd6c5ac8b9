extension Int {
  /// The whole part of a number of any size; what is beyond all integers becomes the last one, and NaN 0.
  package init(saturating number: Double) {
    guard !number.isNaN else {
      self = 0
      return
    }
    self = Int(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max)
  }
}
