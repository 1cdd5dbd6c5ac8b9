import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyText
import Foundation

/// `firefly generate MODEL`.
enum GenerateCommand {
  private static let prompt = Option.text("--prompt", "TEXT", "A prompt.", repeated: true)
  private static let file = Option.text(
    "--file", "FILE",
    "A JSONL file of prompts: {\"prompt\": …}, {\"conversation\": …}, {\"messages\": …} or a row as training takes it, a line."
  )
  private static let raw = Flag(
    "--raw",
    "Continues the prompt as it is, special tokens parsed, instead of answering it through the template.")
  private static let batchSize = Option.integer(
    "--batch-size", "N", atLeast: 1, "Prompts answered at the same time (default: 8).")
  private static let json = Flag(
    "--json",
    "One JSON object for each prompt: source, prompt_ids, ids, text, finish_reason (stop, or length for a cut-off answer), top_logprobs, beam_score."
  )
  private static let topLogProbabilities = Option.integer(
    "--top-logprobs", "K", atLeast: 0,
    "With --json, the K most likely tokens at each step and the logarithms of their probabilities, before sampling options."
  )

  static let verb = Verb(
    "generate", summary: "Answers prompts, several at a time.",
    details: """
      Without --prompt and --file, all that comes from standard input is one prompt: \
      echo 'What is a firefly?' | firefly generate MODEL. The last line's end is not part of it.
      """,
    positionals: [ModelOptions.model],
    options: [
      prompt.declaration, file.declaration, raw.declaration, batchSize.declaration, json.declaration,
      topLogProbabilities.declaration,
    ] + ModelOptions.declarations + TemplateOptions.declarations + AnswerOptions.declarations,
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try AnswerOptions.check(arguments)
    try arguments.refuse([prompt.declaration, file.declaration], together: "put all prompts into the file")
    try arguments.refuse(
      [raw.declaration, TemplateOptions.template.declaration], together: "--raw uses no template")
    try arguments.refuse(
      [raw.declaration, TemplateOptions.system.declaration], together: "--raw has no system text")
    try arguments.refuse(
      [raw.declaration] + TemplateOptions.variableDeclarations.filter { arguments.has([$0]) }.prefix(1),
      together: "--raw uses no template")
    if arguments[topLogProbabilities] != nil && !arguments[json] {
      throw UsageError("--top-logprobs needs --json", verb: arguments.verb)
    }
    let rows = try rows(arguments)
    let pretrained = try ModelOptions.open(arguments)
    let encoder = try encoder(arguments, pretrained)
    var options = try AnswerOptions.read(arguments, for: pretrained)
    try AnswerOptions.refuseIdle(arguments, options)
    options.topLogProbabilities = arguments[topLogProbabilities] ?? 0
    if let template = encoder.template {
      options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    }
    let requests = zip(rows, try encoder.tokens(rows)).enumerated().map { index, prompt in
      var own = options
      own.seed &+= UInt64(index)  // so that equal prompts get different answers
      return GenerationRequest(prompt: prompt.1, options: own, place: prompt.0.place)
    }
    let generator = try ModelOptions.load(pretrained, arguments)
    let printer = AnswerPrinter(
      requests: requests, tokenizer: pretrained.tokenizer, asJSON: arguments[json])
    _ = try generator.generate(
      requests, batchSize: arguments[batchSize] ?? 8, onText: printer.show, onFinish: printer.finish)
    if let limit = printer.limit(longest: generator.model.maxPositions) { Messages.note(limit) }
  }

  private static func rows(_ arguments: Arguments) throws -> [PromptRow] {
    if let path = arguments[file] { return try PromptFile.read(path) }
    let prompts = arguments.all(prompt)
    if prompts.isEmpty { return [try rowFromInput(arguments)] }
    return prompts.enumerated().map { index, text in
      PromptRow(content: .text(text), place: prompts.count == 1 ? "--prompt" : "--prompt \(index + 1)")
    }
  }

  /// Standard input as one prompt; nobody is asked to type one.
  private static func rowFromInput(_ arguments: Arguments) throws -> PromptRow {
    let place = "standard input"
    let data = isatty(STDIN_FILENO) == 1 ? Data() : try FileHandle.standardInput.readToEnd() ?? Data()
    guard !data.isEmpty else { throw UsageError("--prompt or --file is missing", verb: arguments.verb) }
    guard var text = String(validating: data, as: UTF8.self) else {
      throw FireflyError("not UTF-8", at: place, expected: "a prompt as plain text")
    }
    if text.last?.isNewline == true { text.removeLast() }
    return PromptRow(content: .text(text), place: place)
  }

  private static func encoder(_ arguments: Arguments, _ pretrained: Pretrained) throws -> PromptEncoder {
    let template: ChatTemplate?
    do {
      template = arguments[raw] ? nil : try TemplateOptions.read(arguments, pretrained)
    } catch var error as FireflyError where arguments[TemplateOptions.template] == nil {
      error.fix = (error.fix.map { $0 + " " } ?? "") + "Or continue the prompt as it is with --raw."
      throw error
    }
    return PromptEncoder(
      tokenizer: pretrained.tokenizer, template: template, system: arguments[TemplateOptions.system])
  }
}

/// Prints answers in the order of their prompts, whatever the order of finishing.
private final class AnswerPrinter {
  let requests: [GenerationRequest]
  let tokenizer: any Tokenizer
  let asJSON: Bool
  private let output = Output()
  private var next = 0
  private var finished: [Int: GenerationResult] = [:]
  /// Answers that ended at a limit, by which: the most new tokens, the model's `max_length`, or its longest sequence.
  private var cut = (newTokens: 0, length: 0, positions: 0)

  init(requests: [GenerationRequest], tokenizer: any Tokenizer, asJSON: Bool) {
    self.requests = requests
    self.tokenizer = tokenizer
    self.asJSON = asJSON
  }

  /// Writes a piece of the answer, when it is the only one and not to be JSON.
  func show(_ index: Int, _ piece: String) throws {
    guard requests.count == 1 && !asJSON else { return }
    try output.write(answer: piece)
    try output.flush()
  }

  func finish(_ index: Int, _ result: GenerationResult) throws {
    finished[index] = result
    if result.finishReason == .length {
      let (count, options) = (result.ids.count, requests[index].options)
      if count >= options.maxNewTokens {
        cut.newTokens += 1
      } else if count >= options.limit(prompt: requests[index].prompt.count) {
        cut.length += 1
      } else {
        cut.positions += 1
      }
    }
    while let result = finished.removeValue(forKey: next) {
      if asJSON {
        try output.line(json(next, result).text())
      } else if requests.count == 1 {
        try output.line("")
      } else {
        try output.line("# \(requests[next].place)")
        try output.write(answer: result.text)
        try output.line("\n")
      }
      next += 1
    }
    try output.flush()
  }

  /// How many answers were cut off, and what allows more; nil when JSON says it of each, or none was.
  func limit(longest: Int) -> String? {
    let count = cut.newTokens + cut.length + cut.positions
    guard !asJSON, count > 0, let options = requests.first?.options else { return nil }
    let which = requests.count == 1 ? "the answer was" : "\(count) of \(requests.count) answers were"
    if cut.newTokens > 0 {
      return "\(which) cut off after \(options.maxNewTokens) tokens; --max-new-tokens N allows longer ones"
    }
    return cut.length > 0
      ? "\(which) cut off by the model's max_length \(options.maxLength ?? 0); --max-new-tokens N allows longer ones"
      : "\(which) cut off: the model reads no more than \(longest) tokens"
  }

  private func json(_ index: Int, _ result: GenerationResult) -> JSONValue {
    var object: [String: JSONValue] = [
      "source": .string(requests[index].place),
      "prompt_ids": .array(requests[index].prompt.map { .int(Int($0)) }),
      "ids": .array(result.ids.map { .int(Int($0)) }),
      "text": .string(result.text),
      "finish_reason": .string(result.finishReason.rawValue),
    ]
    if requests[index].options.topLogProbabilities > 0 {
      object["top_logprobs"] = .array(result.topLogProbabilities.map { .array($0.map(json)) })
    }
    if let score = result.beamScore { object["beam_score"] = .double(score) }
    return .object(object)
  }

  private func json(_ token: TokenLogProbability) -> JSONValue {
    .object([
      "id": .int(Int(token.id)), "token": .string(tokenizer.decode([token.id], skipSpecial: false)),
      "logprob": .double(token.logProbability),
    ])
  }
}
