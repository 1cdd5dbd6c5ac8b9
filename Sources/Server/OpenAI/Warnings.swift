import FireflyBase
import FireflyText

/// What a request asks for that has no effect here: told in `warnings` of the response, and once in the server's log.
final class Warnings: Sendable {
  private let sentences = Locked<[String]>([])

  func add(_ sentence: String) {
    sentences.withLock { if !$0.contains(sentence) { $0.append(sentence) } }
  }

  /// What a model's template leaves out of the request's conversation.
  func add(_ lost: Set<LostPart>, of model: String) {
    for part in LostPart.allCases where lost.contains(part) {
      add("\"\(model)\" does not see all of the conversation: \(part.description).")
    }
  }

  /// The sentences as the response has them; nil: there is nothing to tell.
  var json: JSONValue? {
    let all = all
    return all.isEmpty ? nil : .array(all.map(JSONValue.string))
  }

  var all: [String] { sentences.withLock { $0 } }
}
