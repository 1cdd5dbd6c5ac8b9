import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation

/// A name that requests can ask for: the base, or the base with one adapter.
public struct ServedModel: Sendable {
  public var name: String
  /// How messages become a prompt; nil: the model only continues texts.
  public var template: ChatTemplate?
  /// What the model has kept its adapter as: another one for each that is loaded, also under a name that was taken before.
  let key: String
  /// Where its adapter was read from; nil for the base.
  let folder: String?

  public init(name: String, template: ChatTemplate?) {
    self.init(name: name, template: template, key: name, folder: nil)
  }

  private init(name: String, template: ChatTemplate?, key: String, folder: String?) {
    self.name = name
    self.template = template
    self.key = key
    self.folder = folder
  }

  /// Keeps the base and each adapter in `model` under its name, so that rows of all of them can run on one base.
  ///
  /// An adapter is asked with the template that it was trained with; `template` names one for all. `variables` are those of
  /// templates of the models' own.
  /// - Parameters:
  ///   - base: the base's name; nil: its file's or folder's.
  ///   - adapters: names and folders of PEFT adapters.
  /// - Throws: `FireflyError` for an adapter that is broken or not of this base, and for names that are not unique.
  public static func load(
    _ pretrained: Pretrained, into model: Transformer, base: String? = nil,
    adapters: [(name: String, folder: String)] = [], template: String? = nil, variables: JSONMembers = [:]
  ) throws -> [ServedModel] {
    let base = base ?? name(of: pretrained.source.name)
    if let twice = Dictionary(grouping: [base] + adapters.map(\.name), by: { $0 }).first(where: {
      $0.value.count > 1
    }) {
      throw FireflyError(
        "two models have the same name", at: "--adapter", found: twice.key, fix: "Name it: NAME=DIR.")
    }
    model.detachAdapter()
    model.keepAdapter(as: base)
    var served = [
      ServedModel(name: base, template: try chatTemplate(pretrained, adapter: nil, template, variables))
    ]
    for (name, folder) in adapters {
      served.append(
        try load(
          name, from: folder, key: name, pretrained, into: model, template: template, variables: variables))
    }
    model.activate(base)
    return served
  }

  /// Keeps one adapter in `model` under `key`; it is then what is on the base.
  static func load(
    _ name: String, from folder: String, key: String, _ pretrained: Pretrained, into model: Transformer,
    template: String?, variables: JSONMembers
  ) throws -> ServedModel {
    try pretrained.requireTokenizer(of: folder)
    let chatTemplate = try chatTemplate(pretrained, adapter: folder, template, variables)
    try pretrained.loadAdapter(folder, into: model)
    model.keepAdapter(as: key)
    return ServedModel(name: name, template: chatTemplate, key: key, folder: folder)
  }

  /// Without any template a model still continues texts; a wrong name or variable is an error.
  private static func chatTemplate(
    _ pretrained: Pretrained, adapter: String?, _ template: String?, _ variables: JSONMembers
  ) throws -> ChatTemplate? {
    do {
      return try pretrained.template(named: template, adapter: adapter, variables: variables)
    } catch  where template == nil && variables.isEmpty {
      return nil
    }
  }

  /// The last part of a path, without `.gguf`.
  static func name(of path: String) -> String {
    let last = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    return last.lowercased().hasSuffix(".gguf") ? String(last.dropLast(5)) : last
  }
}
