import FireflyBase
import FireflyGeneration
import Foundation

/// What a line that begins with a slash asks for.
enum ChatOrder: Equatable {
  case exit, reset, help
  case system(String)
  /// Shows the parameters, or sets one.
  case parameters(name: String, value: String)
  case save(String)
  case adapter(String)

  /// The orders and keys, and what they do.
  static let list = [
    ("/system TEXT", "replaces the system text; without TEXT the template's own is back"),
    ("/reset", "forgets the conversation"),
    ("/params", "shows how answers are chosen; /params NAME VALUE changes it"),
    ("/adapter DIR", "puts another adapter on the model; /adapter none takes it off"),
    ("/save FILE", "appends the conversation to FILE as a row of training data"),
    ("/help", "shows this list"),
    ("/exit", "ends, as Ctrl-D does on an empty line"),
    ("//TEXT", "sends /TEXT as a message"),
    ("\"\"\"", "begins and ends a message of several lines, on lines of their own"),
    ("Alt-Enter", "begins another line of the message; pasted lines are one message"),
    ("Ctrl-C", "stops an answer, or clears the line; the conversation stays"),
  ]

  /// The list for a terminal.
  static var listText: String { Messages.list(list.map { ["  " + $0, $1] }) }

  /// nil for a message; a line that begins with two slashes is a message with one.
  ///
  /// - Throws: `FireflyError` for an order that there is not, or that lacks its argument.
  init?(_ line: String) throws {
    guard line.hasPrefix("/"), !line.hasPrefix("//") else { return nil }
    let words = line.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
    let argument = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
    func needed(_ what: String) throws -> String {
      guard !argument.isEmpty else { throw FireflyError("/\(words[0]) needs \(what)") }
      return argument
    }
    switch words.first ?? "" {
    case "exit", "quit": self = .exit
    case "reset": self = .reset
    case "help": self = .help
    case "system": self = .system(argument)
    case "params":
      let parts = argument.split(separator: " ", maxSplits: 1).map(String.init)
      self = .parameters(name: parts.first ?? "", value: parts.count > 1 ? parts[1] : "")
    case "save": self = .save(try needed("a file"))
    case "adapter": self = .adapter(try needed("an adapter's folder, or none"))
    default:
      throw FireflyError(
        "there is no /\(words.first ?? "")",
        fix: "/help lists the orders; a message that begins with / needs two.")
    }
  }
}

/// The parameters of answers that can be changed while talking, by their names in generation_config.json.
enum ChatParameter {
  /// Name, value and meaning of each, one a line.
  static func text(_ options: GenerationOptions) -> String {
    Messages.list(rows(options).map { ["  " + $0[0]] + $0.dropFirst() })
  }

  private static func rows(_ options: GenerationOptions) -> [[String]] {
    [
      ["temperature", "\(options.sampling.temperature)", "below 1 sharpens, above 1 flattens; 0 is greedy"],
      ["top_p", "\(options.sampling.topP)", "keeps the fewest tokens that are together this likely"],
      ["top_k", "\(options.sampling.topK)", "keeps this many most likely tokens; 0 keeps all"],
      [
        "min_p", "\(options.sampling.minP)", "keeps tokens at least this likely beside the best; 0 keeps all",
      ],
      [
        "repetition_penalty", "\(options.sampling.repetitionPenalty)",
        "above 1 makes used tokens less likely",
      ],
      ["num_beams", "\(options.numBeams)", "above 1 searches for the most likely answer"],
      ["length_penalty", "\(options.lengthPenalty)", "of beams: above 0 favours long answers"],
      ["early_stopping", options.earlyStopping.rawValue, "of beams: true, false or never"],
      ["max_new_tokens", "\(options.maxNewTokens)", "where an answer is cut off"],
      ["seed", "\(options.seed)", "of the next answer; equal seeds give equal answers"],
    ]
  }

  /// - Throws: `FireflyError` for a name that there is not and for a value out of range.
  static func set(_ name: String, _ value: String, in options: inout GenerationOptions) throws {
    func number(_ range: ClosedRange<Double>) throws -> Double {
      guard let number = Double(value), range.contains(number) else {
        throw FireflyError(
          "not a value", at: name, expected: "a number from \(range.lowerBound) to \(range.upperBound)",
          found: "\"\(value)\"")
      }
      return number
    }
    func count(atLeast least: Int, atMost most: Int = .max) throws -> Int {
      let range = least...most
      guard let count = Int(value), range.contains(count) else {
        throw FireflyError(
          "not a value", at: name, expected: "a whole number \(range.words(open: .max))",
          found: "\"\(value)\"")
      }
      return count
    }
    if ["temperature", "top_p", "top_k", "min_p"].contains(name) && options.numBeams > 1 {
      throw FireflyError(
        "\(name) has no effect: beams take the most likely answer", fix: "/params num_beams 1 ends that.")
    }
    switch name {
    case "temperature": options.sampling.temperature = try number(0...100)
    case "num_beams": options.numBeams = try count(atLeast: 1, atMost: GenerationOptions.mostBeams)
    case "length_penalty": options.lengthPenalty = try number(GenerationOptions.lengthPenalties)
    case "early_stopping":
      guard let earlyStopping = EarlyStopping(rawValue: value) else {
        throw FireflyError(
          "not a value", at: name, expected: "true, false or never", found: "\"\(value)\"")
      }
      options.earlyStopping = earlyStopping
    case "top_p": options.sampling.topP = try number(1e-9...1)
    case "top_k": options.sampling.topK = try count(atLeast: 0)
    case "min_p": options.sampling.minP = try number(0...1)
    case "repetition_penalty": options.sampling.repetitionPenalty = try number(0.01...100)
    case "max_new_tokens": options.maxNewTokens = try count(atLeast: 1)
    case "seed": options.seed = UInt64(try count(atLeast: 0))
    default:
      throw FireflyError(
        "there is no parameter \(name)", expected: rows(options).map { $0[0] }.joined(separator: ", "))
    }
  }
}
