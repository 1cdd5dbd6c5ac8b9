import FireflyBase

extension ConfigReader {
  /// lr_scheduler_type, with the settings that it takes from lr_scheduler_kwargs.
  ///
  /// - Parameter peak: learning_rate, of which the settings' rates are parts.
  mutating func schedule(peak: Double) -> Schedule {
    let kind = value(OptimizerKeys.schedule)
    var settings = ScheduleSettings(scheduleSettings(kind), peak: peak)
    let schedule = settings.schedule(kind)
    for fault in settings.faults { unfit(kind, expected: fault.expected, found: fault.found) }
    return schedule
  }

  private mutating func scheduleSettings(_ kind: ScheduleKind) -> [String: JSONValue] {
    let given = value(OptimizerKeys.scheduleSettings)
    guard let text = given.string, !text.isEmpty else { return given.object ?? [:] }
    if let settings = (try? JSONValue.parse(text, source: ""))?.object { return settings }
    unfit(kind, expected: "an object of names and values", found: given.text())
    return [:]
  }

  private mutating func unfit(_ kind: ScheduleKind, expected: String, found: String) {
    let key = OptimizerKeys.scheduleSettings.name
    problem(
      "\"\(key)\" does not fit \"lr_scheduler_type\": \"\(kind.rawValue)\"", key: key, expected: expected,
      found: found)
  }
}

/// Takes a schedule's settings out of lr_scheduler_kwargs, under transformers' names.
private struct ScheduleSettings {
  private let peak: Double
  /// What has not been taken.
  private var rest: [String: JSONValue]
  /// The names that the schedule has.
  private var names: [String] = []
  private(set) var faults: [(expected: String, found: String)] = []

  init(_ given: [String: JSONValue], peak: Double) {
    self.peak = peak
    rest = given.filter { $0.value != .null }
  }

  mutating func schedule(_ kind: ScheduleKind) -> Schedule {
    let schedule = taken(kind)
    let known = names.map { "\"\($0)\"" }.joined(separator: ", ")
    for (name, value) in rest.sorted(by: { $0.key < $1.key }) {
      faults.append(
        (names.isEmpty ? "no settings" : "no others than \(known)", "\"\(name)\": \(value.text())"))
    }
    return schedule
  }

  private mutating func taken(_ kind: ScheduleKind) -> Schedule {
    switch kind {
    case .constant: return .constant
    case .constantWithWarmup: return .constantWithWarmup
    case .linear: return .linear
    case .cosine: return .cosine(waves: waves())
    case .cosineWithRestarts: return .cosineWithRestarts(cycles: count("num_cycles", from: 1) ?? 1)
    case .polynomial:
      let power = number("power", .number(0...(.infinity), above: true)) ?? 1
      return .polynomial(power: power, least: endOfPolynomial())
    case .inverseSquareRoot: return .inverseSquareRoot(timescale: count("timescale", from: 1))
    case .cosineWithLeast: return .cosine(waves: waves(), least: requiredLeast())
    case .cosineFromLeast:
      let least = requiredLeast()
      return .cosine(waves: waves(), least: least, rise: .from(number("warmup_lr_rate", .number(0...1))))
    case .warmupStableDecay: return .warmupStableDecay(stages())
    }
  }

  private mutating func stages() -> Schedule.WarmupStableDecay {
    let decay = count("num_decay_steps", from: 0)
    if decay == nil && faults.isEmpty { missing("\"num_decay_steps\"") }
    var stages = Schedule.WarmupStableDecay(
      decaySteps: decay ?? 0, stableSteps: count("num_stable_steps", from: 0))
    stages.rise = form("warmup_type") ?? stages.rise
    stages.fall = form("decay_type") ?? stages.fall
    stages.least = number("min_lr_ratio", .number(0...1)) ?? 0
    stages.waves = waves()
    return stages
  }

  // MARK: - Single settings

  private mutating func waves() -> Double {
    number("num_cycles", .number(0...(.infinity), above: true)) ?? 0.5
  }

  /// min_lr, or min_lr_rate: the one or the other.
  private mutating func requiredLeast() -> Double {
    let both = rest["min_lr"] != nil && rest["min_lr_rate"] != nil
    let least = part("min_lr", most: peak)
    let rate = number("min_lr_rate", .number(0...1))
    if both || (least == nil && rate == nil && faults.isEmpty) {
      missing("one of \"min_lr\" and \"min_lr_rate\"", found: both ? "both" : nil)
    }
    return least ?? rate ?? 0
  }

  /// lr_end, or transformers' 1e-7, which must be below the peak, too.
  private mutating func endOfPolynomial() -> Double {
    let usual = 1e-7
    if rest["lr_end"] == nil && peak <= usual { missing("\"lr_end\" below learning_rate", found: "\(usual)") }
    return part("lr_end", most: peak.nextDown) ?? (peak > usual ? usual / peak : 0)
  }

  /// A rate, as a part of the peak.
  private mutating func part(_ name: String, most: Double) -> Double? {
    number(name, .number(0...max(0, most))).map { peak > 0 ? $0 / peak : 0 }
  }

  private mutating func form(_ name: String) -> Schedule.WarmupStableDecay.Form? {
    take(name, .names(Schedule.WarmupStableDecay.Form.allCases.map(\.rawValue)))?.string
      .flatMap(Schedule.WarmupStableDecay.Form.init)
  }

  private mutating func count(_ name: String, from least: Int) -> Int? {
    take(name, .count(from: least))?.int
  }

  private mutating func number(_ name: String, _ shape: KeyShape) -> Double? { take(name, shape)?.double }

  /// The setting, where it is given and of the shape.
  private mutating func take(_ name: String, _ shape: KeyShape) -> JSONValue? {
    names.append(name)
    guard let value = rest.removeValue(forKey: name) else { return nil }
    if shape.accepts(value) { return value }
    faults.append(("\"\(name)\": \(shape.expected)", value.text()))
    return nil
  }

  private mutating func missing(_ what: String, found: String? = nil) {
    faults.append((what, found ?? "none"))
  }
}
