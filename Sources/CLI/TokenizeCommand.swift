import FireflyBase
import FireflyGeneration
import FireflyText

/// `firefly tokenize MODEL`.
enum TokenizeCommand {
  private static let model = Positional(
    "MODEL", "A model folder, a .gguf file, a tokenizer.json, a tokenizer.model or a qwen.tiktoken.")
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

  static let verb = Verb(
    "tokenize", summary: "Turns texts into token ids and back.",
    details: """
      Reads a JSON string from each line of standard input and writes {"ids": […], "decoded": "…"} for it, \
      special tokens spelled out. No BOS or EOS is added unless asked for.
      """,
    positionals: [model],
    options: [addSpecial.declaration, parseSpecial.declaration, plainSpecial.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    try arguments.refuse(
      [parseSpecial.declaration, plainSpecial.declaration], together: "one is the opposite of the other")
    let tokenizer = try Pretrained.tokenizer(at: arguments[model])
    let parses =
      arguments[parseSpecial] || !arguments[plainSpecial] && !isSentencePiece(arguments[model])
    let start = arguments[addSpecial] && tokenizer.addsBOS ? tokenizer.bos.map { [$0] } ?? [] : []
    let end = arguments[addSpecial] && tokenizer.addsEOS ? tokenizer.eos.map { [$0] } ?? [] : []
    let output = Output()
    do {
      var number = 0
      while let line = readLine() {
        number += 1
        let text = try text(line, at: "standard input:\(number)")
        let ids = start + (try tokenizer.encode(text, parseSpecial: parses)) + end
        try output.line(json(ids, decoded: tokenizer.decode(ids, skipSpecial: false)))
      }
    } catch let error as FireflyError {
      try output.flush()  // the lines before the bad one
      throw error
    }
    try output.flush()
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

  private static func json(_ ids: [Int32], decoded: String) -> String {
    let list = ids.map(String.init).joined(separator: ", ")
    return "{\"ids\": [\(list)], \"decoded\": \(JSONValue.string(decoded).text())}"
  }
}
