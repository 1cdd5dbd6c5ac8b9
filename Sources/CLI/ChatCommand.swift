import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyText
import Foundation

/// `firefly chat MODEL`.
enum ChatCommand {
  private static let context = Option.integer(
    "--context", "N", atLeast: 2,
    "Tokens of conversation and answer together (default: the model's, at most 4096).")

  static let verb = Verb(
    "chat", summary: "Talks with a model; answers stream as they come.",
    details: """
      Each line of standard input is a message; it may come from a pipe.
      /reset forgets the conversation, /exit (or the end of input) ends; Ctrl-C stops an answer.
      What no longer fits into the context is left out by whole turns, the oldest first.
      """,
    positionals: [ModelOptions.model],
    options: ModelOptions.declarations + TemplateOptions.declarations + AnswerOptions.declarations
      + [context.declaration],
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try AnswerOptions.check(arguments)
    let pretrained = try Pretrained.open(arguments[ModelOptions.model])
    let template = try pretrained.template(
      named: arguments[TemplateOptions.template], adapter: arguments[ModelOptions.adapter])
    var options = try AnswerOptions.read(arguments, for: pretrained)
    options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    if let warning = template.stopWarning(pretrained.tokenizer) { Messages.line("firefly: \(warning)") }
    let generator = try ModelOptions.load(pretrained, arguments)
    let longest = generator.model.maxPositions
    let chat = Chat(
      generator: generator, options: options,
      session: ChatSession(
        template: template, tokenizer: pretrained.tokenizer, system: arguments[TemplateOptions.system],
        contextLength: min(arguments[context] ?? 4096, longest)))
    try chat.run()
  }
}

/// The conversation on the terminal or through a pipe.
private final class Chat {
  let generator: Generator<Transformer>
  var options: GenerationOptions
  var session: ChatSession
  let memory = PromptMemory<Transformer>()
  let output = Output()
  /// Whether a person types: only then are the speakers' names shown.
  let isTyped = isatty(STDIN_FILENO) == 1

  init(generator: Generator<Transformer>, options: GenerationOptions, session: ChatSession) {
    self.generator = generator
    self.options = options
    self.session = session
  }

  func run() throws {
    if isTyped {
      Messages.line("template \(session.template.name); /reset forgets, /exit ends, Ctrl-C stops an answer")
    }
    while let line = next() {
      switch line.trimmingCharacters(in: .whitespaces) {
      case "": continue
      case "/exit": return
      case "/reset":
        session.reset()
        Messages.line("the conversation is forgotten")
      default: try answer(line)
      }
    }
    if isTyped { Messages.line("") }
  }

  private func next() -> String? {
    if isTyped { Messages.write("User: ") }
    return readLine()
  }

  /// A message that does not fit is told and not remembered; the conversation goes on.
  private func answer(_ message: String) throws {
    let prompt: ChatTemplate.Prompt
    do {
      prompt = try session.prompt(
        for: message, answerLength: min(options.maxNewTokens, session.contextLength / 2))
    } catch let error as FireflyError where isTyped {
      return Messages.line("firefly: \(error)")
    }
    if prompt.droppedTurns > 0 {
      Messages.line("(the first \(prompt.droppedTurns) turns no longer fit and are left out)")
    }
    if isTyped { Messages.write("Firefly: ") }
    let request = GenerationRequest(
      prompt: prompt.tokens, options: options, place: "message \(session.history.count / 2 + 1)")
    let result = try Interruption.caught {
      try generator.generate(request, memory: memory, isCancelled: { Interruption.isRequested }) { piece in
        try output.write(piece)
        try output.flush()
      }
    }
    try output.line(result.finishReason == .cancelled ? " [stopped]" : "")
    try output.flush()
    // Another seed for the next answer, still decided by --seed.
    options.seed &+= 1
    let text = result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    if !text.isEmpty { session.add(message: message, answer: text) }
  }
}
