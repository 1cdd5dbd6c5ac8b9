/// Decoding through steps, each taking the tokens that the one before gives.
struct StepwiseDecoding: DecodingState {
  let rules: DecodingRules
  private var stages: [DecodingStage]

  init(rules: DecodingRules, steps: [DecodingStep]) {
    self.rules = rules
    stages = DecodingStage.stages(steps)
  }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard let token = rules.token(of: id) else { return }
    pass(Array(token), from: 0, to: &out)
  }

  mutating func finish(to out: inout [UInt8]) {
    for index in stages.indices {
      if let token = stages[index].finish() { pass(token, from: index + 1, to: &out) }
    }
  }

  private mutating func pass(_ token: [UInt8], from index: Int, to out: inout [UInt8]) {
    guard index < stages.count else {
      out += token
      return
    }
    let (earlier, given) = stages[index].take(token)
    if let earlier { pass(earlier, from: index + 1, to: &out) }
    if let given { pass(given, from: index + 1, to: &out) }
  }
}
