import FireflyBase
import FireflyText

/// Reads texts or token ids from a parameter: a text, a list of texts, a list of ids, or a list of lists of ids.
struct PromptReader {
  struct Prompt {
    let ids: [Int32]
    /// nil when the request gave ids.
    let text: String?
  }

  let service: Service
  let parameter: String
  /// The most tokens of a prompt that is cut where the request wants it.
  let longest: Int

  /// - Parameter checkCount: is told how many there are, before anything is made of them.
  func read(_ parameters: Parameters, checkCount: (Int) throws -> Void) throws -> [Prompt] {
    let truncation = try PromptTruncation(parameters, longest: longest)
    return try readWhole(parameters, checkCount: checkCount).map { prompt in
      let part = truncation.part(of: prompt.ids)
      return part.count == prompt.ids.count ? prompt : Prompt(ids: part, text: nil)
    }
  }

  private func readWhole(_ parameters: Parameters, checkCount: (Int) throws -> Void) throws -> [Prompt] {
    guard let value = parameters[parameter] else {
      throw APIError.invalid("\"\(parameter)\" is missing.", parameter)
    }
    if let text = value.string { return [try encoded(text)] }
    func wrong() -> APIError {
      parameters.wrong(
        parameter, "a string, a list of strings, a list of token ids or a list of such lists", value)
    }
    guard let list = value.array, let first = list.first else { throw wrong() }
    switch first {
    case .string:
      try checkCount(list.count)
      return try list.map { try encoded(try $0.string.orThrow(wrong())) }
    case .array:
      try checkCount(list.count)
      return try list.map {
        Prompt(ids: try PromptReader.ids($0.array.orThrow(wrong()), wrong), text: nil)
      }
    default:
      return [Prompt(ids: try PromptReader.ids(list, wrong), text: nil)]
    }
  }

  private static func ids(_ list: [JSONValue], _ wrong: () -> APIError) throws -> [Int32] {
    try list.map { try $0.int.flatMap { Int32(exactly: $0) }.orThrow(wrong()) }
  }

  /// The text's tokens as `generate --raw` reads it: after the beginning-of-sequence token where the model expects
  /// it.
  private func encoded(_ text: String) throws -> Prompt {
    try service.checkLength(of: text.utf8.count, parameter)
    do {
      return Prompt(ids: try service.tokenizer.textTokens(text), text: text)
    } catch let error as FireflyError {
      throw APIError.invalid(error, parameter)
    }
  }
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> APIError) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
