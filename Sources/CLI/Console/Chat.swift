import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyText
import Foundation

/// A conversation on the terminal or through a pipe.
final class Chat {
  private let generator: Generator<Transformer>
  private var options: GenerationOptions
  private var session: ChatSession
  private let remembers: Bool
  /// What the user should know of an adapter that is put on during the conversation.
  private let note: (String) throws -> String?
  private var memory = PromptMemory<Transformer>()
  private let output = Output()
  /// Nil when lines come through a pipe: then no names and no speed are shown.
  private let editor: LineEditor?

  init(
    generator: Generator<Transformer>, options: GenerationOptions, session: ChatSession, remembers: Bool,
    note: @escaping (String) throws -> String?
  ) {
    self.note = note
    self.generator = generator
    self.options = options
    self.session = session
    self.remembers = remembers
    editor =
      isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? LineEditor(history: "chat_history") : nil
  }

  func run() throws {
    if editor != nil {
      Messages.line("template \(session.template.name); /help lists what else can be asked")
    }
    while let message = next() {
      do {
        guard let order = try ChatOrder(message) else {
          try answer(message.hasPrefix("//") ? String(message.dropFirst()) : message)
          continue
        }
        if order == .exit { return }
        try follow(order)
      } catch let error as FireflyError where editor != nil {
        Messages.failure(error)  // the conversation goes on
      }
    }
    if editor != nil { Messages.line("") }
  }

  /// The next message, never blank; nil at the end.
  private func next() -> String? {
    while let line = line("User: ") {
      if line.trimmingCharacters(in: .whitespaces) == "\"\"\"" { return block() }
      if !line.trimmingCharacters(in: .whitespaces).isEmpty {
        return line.hasPrefix("/") ? line.trimmingCharacters(in: .whitespaces) : line
      }
    }
    return nil
  }

  /// Lines up to the next three quotes, or to the end of input.
  private func block() -> String {
    var lines: [String] = []
    while let line = line("... "), line.trimmingCharacters(in: .whitespaces) != "\"\"\"" {
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }

  private func line(_ prompt: String) -> String? { editor.map { $0.line(prompt: prompt) } ?? readLine() }

  // MARK: - Orders

  private func follow(_ order: ChatOrder) throws {
    switch order {
    case .exit: break
    case .help: Messages.line(ChatOrder.summary)
    case .reset:
      session.reset()
      Messages.line("the conversation is forgotten")
    case .system(let text):
      session.system = text.isEmpty ? nil : text
      Messages.line(text.isEmpty ? "the template's own system text" : "the system text is changed")
    case .parameters(let name, let value):
      if !name.isEmpty { try ChatParameter.set(name, value, in: &options) }
      Messages.line(ChatParameter.text(options))
    case .save(let file): try save(to: file)
    case .adapter(let folder): try change(adapter: folder)
    }
  }

  /// Appends the conversation to `file` as a row of training data.
  private func save(to file: String) throws {
    guard !session.history.isEmpty else { throw FireflyError("there is no conversation to save") }
    let turns = stride(from: 0, to: session.history.count - 1, by: 2).map { index in
      JSONValue.object([
        "human": .string(session.history[index].content),
        "assistant": .string(session.history[index + 1].content),
      ])
    }
    var row: [String: JSONValue] = ["conversation": .array(turns)]
    if let system = session.system { row["system"] = .string(system) }
    let earlier = FileManager.default.fileExists(atPath: file) ? try MappedFile(file).data : Data()
    let gap = earlier.isEmpty || earlier.last == UInt8(ascii: "\n") ? "" : "\n"
    try AtomicFile.write(earlier + Data((gap + JSONValue.object(row).text() + "\n").utf8), to: file)
    Messages.line("\(turns.count) turns appended to \(file)")
  }

  /// The base stays as it is; what was read of the conversation has to be read anew.
  private func change(adapter folder: String) throws {
    if folder == "none" {
      generator.model.detachAdapter()
    } else {
      let told = generator.model.notes.count
      try generator.model.loadAdapter(folder)
      Messages.notes(Array(generator.model.notes[told...]))
    }
    memory = PromptMemory()
    Messages.line(folder == "none" ? "the base alone" : "adapter \(folder)")
    if folder != "none", let note = try note(folder) { Messages.line(note) }
  }

  // MARK: - Answers

  private func answer(_ message: String) throws {
    let prompt = try session.prompt(
      for: message, answerLength: min(options.maxNewTokens, session.contextLength / 2))
    if prompt.droppedTurns > 0 {
      Messages.line("(the first \(prompt.droppedTurns) turns no longer fit and are left out)")
    }
    if editor != nil { Messages.write("Firefly: ") }
    let request = GenerationRequest(
      prompt: prompt.tokens, options: options, place: "message \(session.history.count / 2 + 1)")
    // The text of beams may come only at the end: then the speed counts from the beginning.
    var first = options.numBeams > 1 ? ContinuousClock.now : nil
    let result = try Signals.watched([SIGINT]) { isCaught in
      try generator.generate(request, memory: memory, isCancelled: isCaught) { piece in
        first = first ?? .now
        try output.write(piece)
        try output.flush()
      }
    }
    try output.line(result.finishReason == .cancelled ? " [stopped]" : "")
    try output.flush()
    if let first { showSpeed(tokens: result.ids.count, since: first) }
    // Another seed for the next answer, still decided by --seed.
    options.seed &+= 1
    let text = result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    if remembers && !text.isEmpty { session.add(message: message, answer: text) }
  }

  private func showSpeed(tokens: Int, since first: ContinuousClock.Instant) {
    let time = (ContinuousClock.now - first).seconds
    guard editor != nil, tokens > 1, time > 0 else { return }
    Messages.line("(\(tokens) tokens, \(Readable.fixed(Double(tokens - 1) / time, 1)) tokens/s)")
  }
}
