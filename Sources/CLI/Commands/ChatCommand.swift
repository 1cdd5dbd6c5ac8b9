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
      A line is a message, or one of the orders and keys below. Ctrl-C stops an answer and leaves the program and the \
      conversation as they are. Input may come from a pipe: then too each line is a message, answered in turn; \
      firefly generate answers a whole file as one.
      What no longer fits into the context is left out by whole turns, the oldest first.
      \(ChatOrder.list.map { "\($0)\t\($1)" }.joined(separator: "\n"))
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
    if template.own.writesChannels {
      options.shownTokens.formUnion(ChannelReader.marks.compactMap(pretrained.tokenizer.id(of:)))
    }
    if let warning = template.stopWarning(pretrained.tokenizer) { Messages.note(warning) }
    let generator = try ModelOptions.load(pretrained, arguments)
    let longest = generator.model.maxPositions
    let chat = try Chat(
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
