import FireflyBase

/// Dynamic loss scaling in float16 (Micikevicius et al., 2018), with the rules and numbers of torch's GradScaler.
///
/// The loss is multiplied by `value` before the backward pass, so that small gradients are no zeros, and the gradients are
/// divided by it again. One that is infinite or NaN shows that the scale is too large: that step moves nothing, and the scale
/// is halved.
struct LossScale: Equatable, Sendable {
  /// Steps in a row without such a gradient, after which the scale is doubled.
  private static let growthInterval = 2000

  /// A power of two.
  private(set) var value = 65536.0
  /// Steps since the scale was changed last.
  private(set) var steadySteps = 0
  /// Steps that moved nothing, of the whole run.
  private(set) var skippedSteps = 0

  /// After a step whose gradients were finite.
  mutating func grow() {
    steadySteps += 1
    guard steadySteps == LossScale.growthInterval else { return }
    value *= 2
    steadySteps = 0
  }

  /// After a step that moved nothing.
  mutating func back() {
    value /= 2
    steadySteps = 0
    skippedSteps += 1
  }

  /// Below 1 it is not the scale that makes gradients infinite.
  var isExhausted: Bool { value < 1 }
}

extension LossScale {
  var json: JSONValue {
    .object([
      "value": .double(value), "steady_steps": .int(steadySteps), "skipped_steps": .int(skippedSteps),
    ])
  }

  /// nil for what is none.
  init?(_ json: JSONValue) {
    guard let value = json["value"]?.double, value >= 1, let steady = json["steady_steps"]?.int,
      let skipped = json["skipped_steps"]?.int, skipped >= 0
    else { return nil }
    self.value = value
    steadySteps = steady
    skippedSteps = skipped
  }
}
