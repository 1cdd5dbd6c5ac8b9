import FireflyBase

/// One key of a configuration, read as a `Value`.
///
/// What a value may be, what holds without one and what it means stand in this one declaration: the reader, errors, documents,
/// completion and the schema take them from here.
struct ConfigKey<Value: Sendable>: Sendable {
  let declaration: KeyDeclaration
  /// What holds when the key is not given; also goes on from a wrong value, until its error is thrown.
  let fallback: Value
  /// The value of what the declaration's shape accepts.
  let read: @Sendable (JSONValue) -> Value?

  /// - Parameter standard: what the documents say of `fallback`.
  init(
    _ name: String, _ shape: KeyShape, _ standard: KeyDeclaration.Standard, _ about: KeyDeclaration.About,
    fallback: Value, read: @escaping @Sendable (JSONValue) -> Value?
  ) {
    declaration = KeyDeclaration(name: name, shape: shape, standard: standard, about: about)
    self.fallback = fallback
    self.read = read
  }

  var name: String { declaration.name }
}

/// What a configuration's key is, without the type that it is read as.
package struct KeyDeclaration: Sendable {
  /// What holds when the key is not given.
  package enum Standard: Sendable, Equatable {
    case required
    case value(JSONValue)
    /// What it depends on, or that there is none.
    case told(Wording)
  }

  package struct About: Sendable {
    package let origin: KeyOrigin
    package let meaning: Wording
    package let unit: Wording?
    package let example: JSONValue
    package let trainings: Trainings

    /// - Parameters:
    ///   - meaning: one sentence or two, in English and Chinese.
    ///   - trainings: those that follow the key.
    init(
      _ origin: KeyOrigin, _ english: String, _ chinese: String, unit: Wording? = nil, example: JSONValue,
      for trainings: Trainings = .all
    ) {
      self.origin = origin
      meaning = Wording(english, chinese)
      self.unit = unit
      self.example = example
      self.trainings = trainings
    }
  }

  package let name: String
  package let shape: KeyShape
  package let standard: Standard
  package let about: About
}

/// Whose name a key is.
package enum KeyOrigin: Sendable {
  case original, transformers, trl, peft, ours

  package var name: Wording {
    switch self {
    case .original: Wording("the original Firefly's", "原版 Firefly")
    case .transformers: Wording("transformers'", "transformers")
    case .trl: Wording("TRL's", "TRL")
    case .peft: Wording("PEFT's", "PEFT")
    case .ours: Wording("ours", "本项目")
    }
  }
}

/// Which trainings a key belongs to.
package struct Trainings: Sendable, Equatable {
  package var tasks = TaskType.allCases
  package var modes = TrainMode.allCases

  static let all = Trainings()
  /// Conversations and preference pairs, which are written by a template.
  static let chats = Trainings(tasks: [.sft, .dpo])
  static let conversations = Trainings(tasks: [.sft])
  static let preferences = Trainings(tasks: [.dpo])
  static let adapters = Trainings(modes: [.lora, .qlora])
  static let allWeights = Trainings(modes: [.full])

  /// The tasks and modes: `sft, dpo; lora, qlora`.
  package var text: String {
    [tasks.map(\.rawValue), modes.map(\.rawValue)].map { $0.joined(separator: ", ") }.joined(separator: "; ")
  }
}

/// Units that more than one key has.
extension Wording {
  static let tokens = Wording("tokens", "词元")
  static let rows = Wording("rows", "行")
  static let steps = Wording("steps", "步")
  static let blocks = Wording("blocks", "层")
}
