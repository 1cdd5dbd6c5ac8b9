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
  ) throws {
    self.note = note
    self.generator = generator
    self.options = options
    self.session = session
    self.remembers = remembers
    editor =
      isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? try LineEditor(history: "chat_history") : nil
  }

  func run() throws {
    if editor != nil {
      Messages.line("template \(session.template.name); /help lists what else can be asked, Ctrl-D ends")
    }
    var goesOn = true
    while goesOn {
      do {
        goesOn = try turn()
      } catch let error as FireflyError where editor != nil {
        Messages.failure(error)  // the conversation goes on
      }
    }
  }

  /// Follows what is typed next; false at the end.
  private func turn() throws -> Bool {
    switch try next() {
    case .message(let text): try answer(text)
    case .order(.exit): return false
    case .order(let order): try follow(order)
    case nil:
      if editor != nil { Messages.line("") }
      return false
    }
    return true
  }

  // MARK: - Typing

  private enum Entry {
    case message(String)
    case order(ChatOrder)
  }

  /// The next message or order, never blank; nil at the end. What is pasted brings a last line's end, which is not meant.
  private func next() throws -> Entry? {
    while let line = line("User: ") {
      let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if text == "\"\"\"" {
        if let block = block() { return .message(block) }
      } else if text.contains(where: \.isNewline) || !text.hasPrefix("/") {
        if !text.isEmpty { return .message(line.trimmingCharacters(in: .newlines)) }
      } else if let order = try ChatOrder(text) {
        return .order(order)
      } else {
        return .message(String(text.dropFirst()))
      }
    }
    return nil
  }

  /// Lines up to the next three quotes, or to the end of input; nil after Ctrl-C.
  private func block() -> String? {
    var lines: [String] = []
    while true {
      switch typed("...   ") {
      case .text(let line) where line.trimmingCharacters(in: .whitespaces) != "\"\"\"": lines.append(line)
      case .interrupted: return nil
      case .text, .end: return lines.joined(separator: "\n")
      }
    }
  }

  /// A line, or several that were pasted; Ctrl-C begins it anew.
  private func line(_ prompt: String) -> String? {
    while true {
      switch typed(prompt) {
      case .text(let line): return line
      case .interrupted(let wasEmpty):
        if wasEmpty { Messages.line("(Ctrl-C clears the line, and stops an answer; /exit or Ctrl-D ends)") }
      case .end: return nil
      }
    }
  }

  private func typed(_ prompt: String) -> LineEditor.Typed {
    if let editor { return editor.line(prompt: prompt) }
    return readLine().map { .text($0) } ?? .end
  }

  // MARK: - Orders

  private func follow(_ order: ChatOrder) throws {
    switch order {
    case .exit: break
    case .help: Messages.line(ChatOrder.listText)
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
    Messages.line("\(count(turns.count)) appended to \(file)")
  }

  /// The base stays as it is; what was read of the conversation has to be read anew.
  private func change(adapter folder: String) throws {
    if folder == "none" {
      generator.model.detachAdapter()
    } else {
      let told = generator.model.notes.count
      try generator.model.loadAdapter(folder)
      generator.model.notes[told...].forEach(Messages.note)
    }
    memory = PromptMemory()
    Messages.line(folder == "none" ? "the base alone" : "adapter \(folder)")
    if folder != "none", let note = try note(folder) { Messages.line(note) }
  }

  private func count(_ turns: Int) -> String { turns == 1 ? "1 turn" : "\(turns) turns" }

  // MARK: - Answers

  /// Ctrl-C ends the answer from here on, and nothing else.
  private func answer(_ message: String) throws {
    try Signals.watched([SIGINT]) { isCancelled in
      try Terminal.withoutEcho { try answer(message, isCancelled: isCancelled) }
    }
  }

  private func answer(_ message: String, isCancelled: @escaping @Sendable () -> Bool) throws {
    let prompt = try session.prompt(
      for: message, answerLength: min(options.maxNewTokens, session.contextLength / 2))
    if prompt.droppedTurns > 0 {
      Messages.line("(no longer fits and is left out: the first \(count(prompt.droppedTurns)))")
    }
    if editor != nil { Messages.begin("Firefly: ") }
    let request = GenerationRequest(
      prompt: prompt.tokens, options: options, place: "message \(session.history.count / 2 + 1)")
    // The text of beams may come only at the end: then the speed counts from the beginning.
    var first = options.numBeams > 1 ? ContinuousClock.now : nil
    var shown = ChatAnswer(session.template)
    let result = try generator.generate(request, memory: memory, isCancelled: isCancelled) { piece in
      first = first ?? .now
      try output.write(answer: shown.append(piece))
      try output.flush()
    }
    try output.write(answer: shown.finish())
    try output.line(result.finishReason == .cancelled ? " [stopped]" : "")
    try output.flush()
    if let first { showSpeed(tokens: result.ids.count, since: first) }
    if result.finishReason == .length { Messages.line(limit(result)) }
    // Another seed for the next answer, still decided by --seed.
    options.seed &+= 1
    let text = shown.said.trimmingCharacters(in: .whitespacesAndNewlines)
    if remembers && !text.isEmpty { session.add(message: message, answer: text) }
  }

  /// Why the answer ends where it does, and what allows more.
  private func limit(_ result: GenerationResult) -> String {
    let way = editor == nil ? "--max-new-tokens N" : "/params max_new_tokens N"
    if result.ids.count >= options.maxNewTokens {
      return "(cut off after \(result.ids.count) tokens; \(way) allows longer answers)"
    }
    if let length = options.maxLength, length < generator.model.maxPositions {
      return "(cut off by the model's max_length \(length); \(way) allows longer answers)"
    }
    return
      "(cut off: the model reads no more than \(generator.model.maxPositions) tokens; /reset forgets earlier turns)"
  }

  private func showSpeed(tokens: Int, since first: ContinuousClock.Instant) {
    let time = (ContinuousClock.now - first).seconds
    guard editor != nil, tokens > 1, time > 0 else { return }
    Messages.line("(\(tokens) tokens, \(Readable.fixed(Double(tokens - 1) / time, 1)) tokens/s)")
  }
}
