import FireflyBase

/// The models that requests can name, the base first. Adapters may come and go while the server runs.
final class ServedModels: Sendable {
  private let models: Locked<[ServedModel]>
  private let aliases: [ServerOptions.Alias]

  init(_ models: [ServedModel], aliases: [ServerOptions.Alias]) {
    precondition(!models.isEmpty)
    self.models = Locked(models)
    self.aliases = aliases
  }

  var all: [ServedModel] { models.withLock { $0 } }
  var base: ServedModel { models.withLock { $0[0] } }

  /// The names that a request may ask for, each with its model.
  var names: [(name: String, model: ServedModel)] {
    let all = self.all
    return all.map { ($0.name, $0) }
      + aliases.compactMap { alias in ServedModels.model(of: alias, in: all).map { (alias.name, $0) } }
  }

  subscript(name: String) -> ServedModel? { names.first { $0.name == name }?.model }

  private static func model(of alias: ServerOptions.Alias, in models: [ServedModel]) -> ServedModel? {
    alias.model.map { name in models.first { $0.name == name } } ?? models[0]
  }

  /// - Throws: `FireflyError` for an alias of a model that is not there, and one that is a name already.
  func checkAliases() throws {
    let all = self.all
    for (index, alias) in aliases.enumerated() {
      if ServedModels.model(of: alias, in: all) == nil {
        throw FireflyError(
          "an alias is for a model that is not served", at: "--alias \(alias.name)",
          expected: all.map(\.name).joined(separator: ", "), found: alias.model)
      }
      let others = all.map(\.name) + aliases[..<index].map(\.name)
      if others.contains(alias.name) {
        throw FireflyError("two models have the same name", at: "--alias", found: alias.name)
      }
    }
  }

  /// - Throws: `APIError` when the name is taken.
  func add(_ model: ServedModel) throws {
    try checkFree(model.name)
    models.withLock { $0.append(model) }
  }

  func checkFree(_ name: String) throws {
    guard self[name] == nil else {
      throw APIError.invalid("A model with the name \"\(name)\" is served already.", "lora_name")
    }
  }

  /// Takes an adapter out; requests that have begun keep it.
  ///
  /// - Throws: `APIError` for a name that no adapter has.
  func removeAdapter(_ name: String) throws -> ServedModel {
    try models.withLock { models in
      guard let index = models.dropFirst().firstIndex(where: { $0.name == name }) else {
        throw APIError.unknownModel(name, known: models.dropFirst().map(\.name), parameter: "lora_name")
      }
      return models.remove(at: index)
    }
  }
}
