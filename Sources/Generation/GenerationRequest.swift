import FireflyBase
import FireflyText

/// A prompt and how to answer it.
public struct GenerationRequest: Sendable {
  public var prompt: [Int32]
  public var options: GenerationOptions
  /// Names the prompt in errors, for example `prompts.jsonl:3`.
  public var place: String
  /// The name under which the model has kept an adapter; nil: the model as it stands.
  public var adapter: String?

  public init(
    prompt: [Int32], options: GenerationOptions, place: String = "prompt", adapter: String? = nil
  ) {
    self.prompt = prompt
    self.options = options
    self.place = place
    self.adapter = adapter
  }

  /// - Throws: `FireflyError` for a prompt that is empty, too long or not of the model.
  package func check(maxPositions: Int, vocabularySize: Int, _ tokenizer: any Tokenizer) throws {
    guard !prompt.isEmpty else { throw FireflyError("the prompt has no tokens", at: place) }
    // Room for one token of an answer, if there is to be one.
    guard prompt.count < maxPositions + (options.maxNewTokens == 0 ? 1 : 0) else {
      throw FireflyError(
        "the prompt is too long for the model", at: place,
        expected: "fewer than \(maxPositions) tokens", found: "\(prompt.count)")
    }
    if let length = options.maxLength, options.limit(prompt: prompt.count) < 1 {
      throw FireflyError(
        "the prompt is as long as an answer may be with it, by the model's max_length", at: place,
        expected: "fewer than \(length) tokens", found: "\(prompt.count)",
        fix: "Say how many new tokens there may be.")
    }
    if let id = prompt.first(where: { $0 < 0 || $0 >= vocabularySize }) {
      throw FireflyError(
        "the prompt has a token that the model does not know", at: place,
        expected: "ids below \(vocabularySize)",
        found: "\(id) (\(tokenizer.token(of: id) ?? "no token"))",
        fix: "The tokenizer and the weights do not belong together.")
    }
  }
}
