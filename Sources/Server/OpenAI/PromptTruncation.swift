import FireflyBase

/// How much of a prompt that is too long is read: vllm's `truncate_prompt_tokens` and `truncation_side`.
struct PromptTruncation {
  /// The most tokens; nil: all are read, or the prompt is refused.
  private let most: Int?
  private let keepsEnd: Bool

  /// - Parameter longest: what the model can read; as many are kept where the request says -1.
  init(_ parameters: Parameters, longest: Int) throws {
    let (count, side) = ("truncate_prompt_tokens", "truncation_side")
    most = try parameters.whole(count, in: -1...Int.max).map { $0 == -1 ? longest : $0 }
    if let value = parameters[count], most == 0 {
      throw parameters.wrong(
        count, "a whole number of at least 1, or -1 for as many as the model reads", value)
    }
    switch try parameters.text(side) {
    case nil, "left": keepsEnd = true
    case "right": keepsEnd = false
    case .some: throw parameters.wrong(side, "\"left\" or \"right\"", parameters[side] ?? .null)
    }
  }

  /// The part of a prompt that is read.
  func part(of prompt: [Int32]) -> [Int32] {
    guard let most, prompt.count > most else { return prompt }
    return Array(keepsEnd ? prompt.suffix(most) : prompt.prefix(most))
  }
}
