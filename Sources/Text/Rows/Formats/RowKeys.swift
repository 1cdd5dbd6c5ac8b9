import FireflyBase

/// What is done with the keys of rows and of the messages in them. A key is followed by the reader of the row's format, or
/// harmless by its name, or refused by its name; any other is told in the report.
enum RowKeys {
  /// Where a row comes from, what it was called and how it was rated: nothing of what is learnt.
  private static let harmless: Set<String> = [
    "category", "conversation_id", "created", "dataset", "date", "domain", "id", "idx", "index", "kind",
    "lang",
    "language", "model", "num_turns", "prompt_id", "question_id", "score", "score_chosen", "score_rejected",
    "source", "tags", "task", "timestamp", "title", "topic", "type", "url", "uuid",
  ]

  static func isHarmless(_ key: String) -> Bool { harmless.contains(key) }

  /// What would change the meaning of a row, and is not supported.
  private static let refused: [String: String] = [
    "images": "pictures", "image": "pictures", "videos": "films", "video": "films", "audios": "sounds",
    "audio": "sounds", "objects": "pictures", "kto_tag": "answers that are to be avoided",
    "rejected_response": "answers that are to be avoided",
    "rejected_messages": "answers that are to be avoided",
  ]

  /// What says how much of a message is learnt, and is not supported.
  private static let refusedOfMessages: [String: String] = [
    "train_detail": "parts of a message that are learnt",
    "training_detail": "parts of a message that are learnt",
    "loss_scale": "weights of messages but 0 and 1", "prefix": "answers that are continued",
    "mask": "a key of several meanings (\"loss\": false leaves an answer out)",
  ]

  /// The keys of a row that nothing looks at.
  ///
  /// - Parameter followed: what the format's reader looks at.
  /// - Throws: `FireflyError` for a key that is refused.
  static func unused(of row: Row, followed: Set<String>) throws -> [String] {
    try row.keys.filter { key in
      if followed.contains(key) || harmless.contains(key) { return false }
      // KTO's, where false says as much as true.
      if key == "label", row[key]?.bool != nil {
        throw unsupported(key, "answers that are to be avoided", row)
      }
      if let what = refused[key], row[key]?.isEmptyValue == false { throw unsupported(key, what, row) }
      return refused[key] == nil
    }
  }

  /// The members of messages that neither a reader nor the template looks at.
  static func unused(of conversation: Conversation, _ template: ChatTemplate) -> Set<String> {
    var unused: Set<String> = []
    for message in conversation.messages {
      for key in message.members.keys where !unused.contains(key) {
        let isKnown = harmless.contains(key) || followedOfMessages.contains(key)
        if !isKnown && !template.reads(key) { unused.insert(key) }
      }
    }
    return unused
  }

  /// Calls, reasoning and names that a template leaves out are counted apart; a call's number is of no use without them.
  private static let followedOfMessages = Set(
    ["name", "tool_calls", "tool_call_id"] + Message.reasoningNames)

  /// - Throws: `FireflyError` for a key of a message that is refused.
  static func check(_ key: String, of message: Row) throws {
    guard let what = refusedOfMessages[key] ?? refused[key], message[key]?.isEmptyValue == false else {
      return
    }
    throw unsupported(key, what, message)
  }

  private static func unsupported(_ key: String, _ what: String, _ row: Row) -> FireflyError {
    FireflyError(
      "\"\(key)\" is not supported: \(what)", at: row.place, fix: "Remove the key, or the row.")
  }
}

extension OrderedJSON {
  /// What stands there says nothing: `false`, an empty text or list.
  fileprivate var isEmptyValue: Bool {
    switch self {
    case .null, .bool(false): true
    case .string(let text): text.isEmpty
    case .array(let list): list.isEmpty
    default: false
    }
  }
}
