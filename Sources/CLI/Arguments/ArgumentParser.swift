import FireflyBase

extension Arguments {
  /// What happened when a verb's words were read.
  package enum Outcome: Sendable {
    case run(Arguments)
    case help
  }

  /// Reads the words after the verb: `--key value`, `--key=value`, flags, positionals; `--` ends the options.
  package static func parse(_ words: [String], for verb: Verb) throws -> Outcome {
    var reader = ArgumentReader(words: words[...], verb: verb)
    return try reader.read()
  }
}

private struct ArgumentReader {
  var words: ArraySlice<String>
  let verb: Verb
  var positionals: [String] = []
  var values: [String: [String]] = [:]

  init(words: ArraySlice<String>, verb: Verb) {
    self.words = words
    self.verb = verb
  }

  mutating func read() throws -> Arguments.Outcome {
    var optionsEnded = false
    while let word = words.popFirst() {
      if optionsEnded || word == "-" || !word.hasPrefix("-") {
        positionals.append(word)
      } else if word == "--" {
        optionsEnded = true
      } else if word == "--help" || word == "-h" {
        return .help
      } else {
        try readOption(word)
      }
    }
    let names = verb.positionals.map(\.name)
    if positionals.count < verb.positionals.count(where: { !$0.isOptional }) {
      throw usage("\(names[positionals.count]) is missing")
    }
    if positionals.count > names.count {
      let takesPrompts = verb.options.contains { $0.name == "--prompt" }
      throw usage(
        "unexpected argument '\(positionals[names.count])'"
          + (takesPrompts ? "; a prompt comes after --prompt" : ""))
    }
    let named = Dictionary(uniqueKeysWithValues: zip(names, positionals))
    return .run(Arguments(verb: verb.name, positionals: named, values: values))
  }

  private mutating func readOption(_ word: String) throws {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = verb.options.first(where: { $0.name == parts[0] }) else {
      throw unknown(parts[0])
    }
    if values[option.name] != nil && !option.repeated {
      throw usage("\(option.name) is given twice")
    }
    guard let placeholder = option.placeholder else {
      if parts.count == 2 { throw usage("\(option.name) takes no value (found '\(parts[1])')") }
      values[option.name] = [""]
      return
    }
    let value = try parts.count == 2 ? parts[1] : nextValue(option.name, placeholder)
    guard option.accepts(value) else {
      throw usage("\(option.name): expected \(option.expected), found '\(value)'")
    }
    values[option.name, default: []].append(value)
  }

  private mutating func nextValue(_ name: String, _ placeholder: String) throws -> String {
    guard let value = words.first, !verb.options.contains(where: { $0.name == value }) else {
      let hint = words.first.map { " (write \(name)=\($0) if that is the value)" } ?? ""
      throw usage("\(name) needs a value, \(placeholder)\(hint)")
    }
    words.removeFirst()
    return value
  }

  private func unknown(_ name: String) -> UsageError {
    let known = verb.options.map(\.name) + ["--help"]
    let nearest = nearestName(to: name, among: known)
    return usage("unknown option \(name)" + (nearest.map { "; did you mean \($0)?" } ?? ""))
  }

  private func usage(_ message: String) -> UsageError { UsageError(message, verb: verb.name) }
}
