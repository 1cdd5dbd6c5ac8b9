import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyRanks
import FireflyText

/// Answers the prompts of a run, greedily. It reads the model and nothing else, so training goes on as if it had not been.
struct RunSampler {
  struct Answer: Equatable {
    var step: Int
    var prompt: String
    var text: String
  }

  let settings: SampleSettings
  private let tokenizer: any Tokenizer
  private let requests: [GenerationRequest]

  /// - Parameter template: nil continues the prompts as plain texts.
  /// - Throws: `FireflyError` for a prompt that the template or the tokenizer refuses.
  init(_ settings: SampleSettings, _ pretrained: Pretrained, _ template: ChatTemplate?) throws {
    self.settings = settings
    tokenizer = pretrained.tokenizer
    var options = try pretrained.defaults().options
    options.sampling.temperature = 0
    options.numBeams = 1
    options.maxNewTokens = settings.maxNewTokens
    if let template { options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer)) }
    requests = try settings.prompts.enumerated().map { index, prompt in
      let tokens =
        try template?.promptTokens(
          history: [Message(role: "user", content: prompt)], system: nil, tokenizer: pretrained.tokenizer)
        ?? pretrained.tokenizer.textTokens(prompt)
      return GenerationRequest(prompt: tokens, options: options, place: "sample_prompts[\(index)]")
    }
  }

  /// Whether there are answers after `step` steps: before the first, every so many, and after the last.
  func isDue(at step: Int, totalSteps: Int) -> Bool {
    step == 0 || step == totalSteps || step % settings.every.resolved(total: totalSteps) == 0
  }

  /// Each rank answers some of the prompts.
  ///
  /// - Returns: all answers; those that a stop cut short are left out.
  func answers(
    _ model: Transformer, step: Int, _ ranks: Ranks, isCancelled: () -> Bool
  ) throws -> [Answer] {
    let own = EvenShares.ranges(of: requests.map { _ in 1 }, among: ranks.size)[ranks.rank]
    let results = try Generator(model: model, tokenizer: tokenizer).generate(
      Array(requests[own]), isCancelled: isCancelled)
    // An answer is one text, none where it was cut short.
    let texts = results.map { $0.finishReason == .cancelled ? "" : "=" + $0.text }
    return zip(settings.prompts, try ranks.gather(texts: texts).joined()).compactMap { prompt, text in
      text.isEmpty ? nil : Answer(step: step, prompt: prompt, text: String(text.dropFirst()))
    }
  }
}
