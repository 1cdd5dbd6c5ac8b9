import FireflyBase
import FireflyHub
import FireflyPretrained
import FireflyText
import Foundation

/// `firefly tokenize MODEL`.
enum TokenizeCommand {
  private static let model = Positional(
    "MODEL",
    "A model folder, a .gguf file, a model's name, a tokenizer.json, a tokenizer.model or a qwen.tiktoken.")
  private static let addSpecial = Flag(
    "--add-special",
    "Puts the begin-of-sequence token before each text, and the end-of-sequence token behind it, where the model expects them."
  )
  private static let parseSpecial = Flag(
    "--parse-special",
    "Strings of special tokens inside a text become those tokens (the default, as with Hugging Face's tokenizers, but for a tokenizer.model, as with SentencePiece)."
  )
  private static let plainSpecial = Flag(
    "--no-parse-special", "Strings of special tokens inside a text are text like any other.")

  private static let json = Flag(
    "--json",
    "Reads a JSON string from each line, which may hold line breaks, and writes {\"ids\": […], \"decoded\": \"…\"} for it, special tokens spelled out."
  )
  private static let count = Flag(
    "--count",
    "Writes one line instead: how many texts and tokens there are, and the seconds of processor time that loading the tokenizer and encoding the texts took."
  )

  static let verb = Verb(
    "tokenize", summary: "Turns texts into token ids.",
    details: """
      Each line of standard input is a text; its ids are written on one line: echo text | firefly tokenize MODEL. \
      No BOS or EOS is added unless asked for.
      """,
    positionals: [model],
    options: [
      json.declaration, addSpecial.declaration, parseSpecial.declaration, plainSpecial.declaration,
      count.declaration,
    ], run: run)

  /// What becomes of one text.
  private struct Encoding {
    let tokenizer: any Tokenizer
    let parsesSpecial: Bool
    let start: [Int32]
    let end: [Int32]

    init(_ arguments: Arguments) throws {
      let path = try LocalModels().path(of: arguments[model], for: .tokenizer)
      tokenizer = try Pretrained.tokenizer(at: path)
      parsesSpecial = arguments[parseSpecial] || !arguments[plainSpecial] && !isSentencePiece(path)
      start = arguments[addSpecial] ? tokenizer.textStart : []
      end = arguments[addSpecial] ? tokenizer.textEnd : []
    }

    func ids(_ text: String) throws -> [Int32] {
      start + (try tokenizer.encode(text, parseSpecial: parsesSpecial)) + end
    }
  }

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse(
      [parseSpecial.declaration, plainSpecial.declaration], together: "one is the opposite of the other")
    let output = Output()
    if arguments[count] {
      try output.line(try counts(arguments))
      return try output.flush()
    }
    let encoding = try Encoding(arguments)
    let isTyped = isatty(STDIN_FILENO) == 1
    if isTyped { Messages.line("a text a line; Ctrl-D ends") }
    do {
      try forEachText(arguments) { text in
        let ids = try encoding.ids(text)
        try output.line(arguments[json] ? object(ids, encoding.tokenizer) : list(ids, " "))
        if isTyped { try output.flush() }
      }
    } catch let error as FireflyError {
      try output.flush()  // the lines before the bad one
      throw error
    }
    try output.flush()
  }

  private static func counts(_ arguments: Arguments) throws -> String {
    let start = processorSeconds()
    let encoding = try Encoding(arguments)
    let loaded = processorSeconds()
    var texts: [String] = []
    try forEachText(arguments) { texts.append($0) }
    let read = processorSeconds()
    let tokens = try texts.reduce(0) { try $0 + encoding.ids($1).count }
    return JSONValue.object([
      "texts": .int(texts.count), "tokens": .int(tokens), "load_seconds": .double(loaded - start),
      "encode_seconds": .double(processorSeconds() - read),
    ]).text()
  }

  /// Processor time of this thread so far.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Calls `body` with the text of each line of standard input.
  private static func forEachText(_ arguments: Arguments, _ body: (String) throws -> Void) throws {
    var number = 0
    while let line = readLine() {
      number += 1
      try body(arguments[json] ? try text(line, at: "standard input:\(number)") : line)
    }
  }

  private static func isSentencePiece(_ path: String) -> Bool {
    path.split(separator: "/").last?.contains(".model") ?? false
  }

  private static func text(_ line: String, at place: String) throws -> String {
    let value = try JSONValue.parse(line, source: place)
    guard let text = value.string else {
      throw FireflyError("not a JSON string", at: place, expected: "\"text\"", found: value.kind)
    }
    return text
  }

  private static func list(_ ids: [Int32], _ separator: String) -> String {
    ids.map(String.init).joined(separator: separator)
  }

  private static func object(_ ids: [Int32], _ tokenizer: any Tokenizer) -> String {
    let decoded = JSONValue.string(tokenizer.decode(ids, skipSpecial: false)).text()
    return "{\"ids\": [\(list(ids, ", "))], \"decoded\": \(decoded)}"
  }
}
