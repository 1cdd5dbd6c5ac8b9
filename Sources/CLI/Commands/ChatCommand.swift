import FireflyBase
import FireflyGeneration
import FireflyPretrained
import FireflyText

/// `firefly chat MODEL`.
enum ChatCommand {
  private static let context = Option.integer(
    "--context", "N", atLeast: 2,
    "Tokens of conversation and answer together (default: the model's, at most 4096).")
  private static let singleTurn = Flag(
    "--single-turn", "Each message stands alone: nothing before it is remembered.")

  static let verb = Verb(
    "chat", summary: "Talks with a model; answers stream as they come.",
    details: """
      Each line is a message; lines between two lines of three quotes (\"\"\") are one. Input may come from a pipe. \
      Ctrl-C stops an answer and not the program; /exit or the end of input ends.
      \(ChatOrder.summary)
      What no longer fits into the context is left out by whole turns, the oldest first.
      """,
    positionals: [ModelOptions.model],
    options: ModelOptions.declarations + TemplateOptions.declarations + AnswerOptions.declarations
      + [context.declaration, singleTurn.declaration],
    run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try AnswerOptions.check(arguments)
    let pretrained = try ModelOptions.open(arguments)
    let template = try TemplateOptions.read(arguments, pretrained)
    var options = try AnswerOptions.read(arguments, for: pretrained)
    options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
    if let warning = template.stopWarning(pretrained.tokenizer) { Messages.line("firefly: \(warning)") }
    let generator = try ModelOptions.load(pretrained, arguments)
    let longest = generator.model.maxPositions
    let chat = Chat(
      generator: generator, options: options,
      session: ChatSession(
        template: template, tokenizer: pretrained.tokenizer, system: arguments[TemplateOptions.system],
        contextLength: min(arguments[context] ?? 4096, longest)),
      remembers: !arguments[singleTurn]
    ) { adapter in
      guard arguments[TemplateOptions.template] == nil,
        let own = try? pretrained.template(named: nil, adapter: adapter),
        !own.writes(as: template, pretrained.tokenizer)
      else { return nil }
      return
        "it was trained with another chat template than this conversation has: start with --adapter \(adapter)"
    }
    try chat.run()
  }
}
