import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyText

/// Puts adapters on a server's base while it runs, and takes them off. Only the thread that has the model may call it.
public struct AdapterLoader: Sendable {
  private let pretrained: Pretrained
  private let model: Transformer
  /// What the base is kept as.
  private let base: String
  private let template: String?
  private let variables: JSONMembers

  /// - Parameters:
  ///   - models: what `ServedModel.load` has put into `model`, with the same template and variables.
  public init(
    _ pretrained: Pretrained, model: Transformer, models: [ServedModel], template: String? = nil,
    variables: JSONMembers = [:]
  ) {
    self.pretrained = pretrained
    self.model = model
    base = models[0].key
    self.template = template
    self.variables = variables
  }

  /// Keeps the adapter of a PEFT folder in the model under `key`.
  ///
  /// - Returns: what requests can then ask for, and what is to be told of the adapter's files.
  /// - Throws: `FireflyError` for an adapter that is broken or not of this base; the model is then as it was.
  func load(_ name: String, from folder: String, key: String) throws -> (model: ServedModel, notes: [String])
  {
    let told = model.notes.count
    defer { model.activate(base) }
    let served = try ServedModel.load(
      name, from: folder, key: key, pretrained, into: model, template: template, variables: variables)
    return (served, model.takeNotes(after: told))
  }

  /// Lets go of an adapter, which no request may use any more.
  func forget(_ key: String) {
    model.activate(base)
    model.forgetAdapter(key)
  }
}
