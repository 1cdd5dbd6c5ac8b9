import FireflyBase
import FireflyText

/// How an option is chosen.
public enum ChoiceMethod: String, Sendable, CaseIterable {
  /// The options stand in the prompt; what is scored is their letters.
  case letter
  /// The options do not stand in the prompt; what is scored is their texts.
  case likelihood
}

/// A question with its examples, as the turns of a conversation: the benchmark's published form.
///
/// Without a chat template the turns are laid end to end, the answers after the benchmark's delimiter and blank lines
/// between questions; with one they are the user's and the assistant's.
struct ChoicePrompt {
  /// Worked examples.
  let shots: [(question: String, answer: String)]
  /// The last question, up to where its answer begins.
  let question: String
  /// The texts that may follow, one for each option.
  let options: [String]
  /// What stands before an answer, where no template separates it from the question.
  let delimiter: String

  init(
    _ question: ChoiceQuestion, examples: ArraySlice<ChoiceQuestion>, subject: Benchmark.Subject,
    wording: Benchmark.Wording, method: ChoiceMethod
  ) {
    func asked(_ question: ChoiceQuestion) -> String {
      switch method {
      case .letter:
        let list = zip(Benchmark.letters, question.options).map { "\n\($0). \($1)" }.joined()
        return wording.question + question.question + list + wording.answer
      case .likelihood: return wording.textQuestion + question.question + wording.answer
      }
    }
    func answer(_ question: ChoiceQuestion, _ index: Int) -> String {
      method == .letter ? Benchmark.letters[index] : question.options[index]
    }
    let description = method == .letter ? wording.description : wording.textDescription
    var shots = examples.compactMap { example in
      example.answer.map { (question: asked(example), answer: answer(example, $0)) }
    }
    var last = asked(question)
    let opening = description.replacing("{subject}", with: subject.name)
    if shots.isEmpty { last = opening + last } else { shots[0].question = opening + shots[0].question }
    self.shots = shots
    self.question = last
    options = question.options.indices.map { answer(question, $0) }
    delimiter = wording.delimiter
  }

  /// The whole as plain text, without the answer.
  var text: String {
    shots.map { $0.question + delimiter + $0.answer + "\n\n" }.joined() + question
  }

  /// The whole as a conversation that the assistant is to go on with.
  var messages: [Message] {
    shots.flatMap {
      [Message(role: "user", content: $0.question), Message(role: "assistant", content: $0.answer)]
    } + [Message(role: "user", content: question)]
  }
}

/// A prompt as tokens, and what may follow it.
struct EncodedChoice: Equatable {
  var context: [Int32]
  /// The options' tokens, at least one for each.
  var options: [[Int32]]
  /// Examples in the context.
  var shots: Int
  /// The context lost tokens on the left.
  var isCut: Bool
}

/// Turns prompts into tokens that fit the model.
struct ChoiceEncoder {
  let tokenizer: any Tokenizer
  /// The template that the model is asked through; nil: plain text.
  let template: ChatTemplate?
  /// Replaces the template's system text.
  let system: String?
  /// Tokens of a prompt and an option together.
  let maxLength: Int

  /// The prompt with as many of its examples as fit; one that is too long even without is cut on the left.
  ///
  /// - Parameter prompt: makes the prompt with so many examples.
  /// - Throws: `FireflyError` when the tokenizer refuses a text, or an option alone is too long.
  func encode(shots: Int, place: String, _ prompt: (Int) -> ChoicePrompt) throws -> EncodedChoice {
    for count in stride(from: shots, through: 0, by: -1) {
      let made = prompt(count)
      var encoded = EncodedChoice(context: [], options: [], shots: made.shots.count, isCut: false)
      do {
        (encoded.context, encoded.options) = try template.map { try chat(made, $0) } ?? plain(made)
      } catch var error as FireflyError {
        error.place = error.place.map { "\(place): \($0)" } ?? place
        throw error
      }
      // The last token of an option is predicted, not read.
      let longest = encoded.options.reduce(0) { max($0, $1.count) } - 1
      if encoded.context.count + longest <= maxLength { return encoded }
      guard count == 0 else { continue }
      guard longest < maxLength else {
        throw FireflyError(
          "an option is longer than the model's context", at: place, expected: "at most \(maxLength) tokens",
          found: "\(longest + 1)")
      }
      encoded.context.removeFirst(encoded.context.count + longest - maxLength)
      encoded.isCut = true
      return encoded
    }
    preconditionFailure("a negative number of examples")
  }

  /// Prompt and options as one text: an option's tokens are those of prompt and option together behind as many as the
  /// prompt alone has (the definition of EleutherAI's evaluation harness).
  private func plain(_ prompt: ChoicePrompt) throws -> ([Int32], [[Int32]]) {
    let start = tokenizer.textStart
    let text = prompt.text
    let context = start + (try tokenizer.encode(text, parseSpecial: false))
    let options = try prompt.options.map { option in
      let whole = start + (try tokenizer.encode(text + prompt.delimiter + option, parseSpecial: false))
      return Array(whole.dropFirst(context.count))
    }
    return (context, try options.enumerated().map { try notEmpty($1, prompt.options[$0]) })
  }

  /// Through the template: prompt and answer are tokenised apart, as in training.
  private func chat(_ prompt: ChoicePrompt, _ template: ChatTemplate) throws -> ([Int32], [[Int32]]) {
    let context = try template.promptTokens(
      history: prompt.messages, system: system, tokenizer: tokenizer)
    let options = try prompt.options.map {
      try notEmpty(tokenizer.encode($0, parseSpecial: false), $0)
    }
    return (context, options)
  }

  private func notEmpty(_ tokens: [Int32], _ option: String) throws -> [Int32] {
    guard tokens.isEmpty else { return tokens }
    throw FireflyError("an option has no tokens", expected: "a text to score", found: "\"\(option)\"")
  }
}
