import FireflyBase
import FireflyHub
import FireflyText
import FireflyWeights
import Foundation

extension Pretrained {
  /// The template to talk to the model with: the one named; else the one that the adapter was trained with or brings; else the
  /// one that all of the model was trained with; else the model's own. "auto" is the adapter's own before the model's.
  ///
  /// - Parameters:
  ///   - adapter: a folder, or an adapter's name on a hub; its train_args.json, or that of the folder around it, names the
  ///     template, and its own lies beside it.
  ///   - variables: of the template's own, as transformers' `chat_template_kwargs`; before those that training had.
  /// - Throws: `FireflyError` when the name is unknown or nothing tells the template.
  public func template(named name: String?, adapter: String?, variables: JSONMembers = [:]) throws
    -> ChatTemplate
  {
    let brought = try adapter.map(AdapterChat.init)
    var template: ChatTemplate
    if let name {
      template = try self.template(name, brought).with(variables: variables)
    } else if let trained = try recorded([brought?.folder, brought?.around], brought) {
      template = try trained.with(overriding: variables)
    } else if let own = brought?.files.own {
      template = try ChatTemplate.own(own, tokenizer: tokenizer).with(variables: variables)
    } else if let trained = try recorded([source.path], nil) {
      template = try trained.with(overriding: variables)
    } else if modelTemplate != nil {
      template = try self.template(ChatTemplate.auto, nil).with(variables: variables)
    } else {
      throw FireflyError(
        "nothing tells this model's chat template", at: source.path,
        fix: "Name it: --template \(ChatTemplate.names.joined(separator: "|")).")
    }
    if let eos = brought?.files.eosToken, eos != tokenizer.eosText { template.furtherStops = [eos] }
    return template
  }

  /// Says so when an adapter is used with another template than the model's own; nil when both write the same, or when the
  /// model has none.
  ///
  /// - Parameter template: what `template(named: nil, adapter: adapter)` gave.
  package func differenceNote(_ template: ChatTemplate, adapter: String) -> String? {
    guard let modelTemplate, let own = try? ChatTemplate.own(modelTemplate, tokenizer: tokenizer),
      !template.writes(as: own, tokenizer)
    else { return nil }
    return "\(adapter) was trained with another chat template than the model's own: the adapter's is used"
  }

  /// Refuses an adapter whose tokenizer makes other tokens than this one, where one tokenizer must do for several.
  package func requireTokenizer(of adapter: String) throws {
    let brought = try AdapterChat(adapter)
    guard Tokenizers.isThere(in: brought.folder), brought.folder != tokenizerPath else { return }
    guard try !Tokenizers.load(brought.folder).makesTokens(of: tokenizer) else { return }
    throw FireflyError(
      "the adapter brings another tokenizer than the model's", at: brought.folder,
      expected: "the tokenizer of \(source.path)",
      fix: "Use it by itself (chat, generate), or serve what 'firefly merge' makes of both.")
  }

  /// A template by name; "auto" is the adapter's own, or else the model's.
  private func template(_ name: String, _ brought: AdapterChat?) throws -> ChatTemplate {
    guard name == ChatTemplate.auto, let own = brought?.files.own ?? modelTemplate else {
      return try ChatTemplate.named(name, tokenizer: tokenizer)
    }
    return try ChatTemplate.own(own, tokenizer: tokenizer)
  }

  /// Whether training has left the template's name beside an adapter.
  func hasRecord(_ brought: AdapterChat) throws -> Bool {
    try recorded([brought.folder, brought.around], brought) != nil
  }

  /// The template in the record that training leaves beside its result, in the first of the folders that has one.
  private func recorded(_ folders: [String?], _ brought: AdapterChat?) throws -> ChatTemplate? {
    let records = folders.compactMap { $0 }.map { "\($0)/train_args.json" }
    guard let path = records.first(where: FileManager.default.fileExists) else { return nil }
    let record = try JSONValue.read(path)
    guard let name = record["template_name"]?.string, !name.isEmpty else { return nil }
    do {
      return try template(name, brought).with(variables: ChatTemplate.variables(inSettings: record))
    } catch var error as FireflyError {
      error.place = "\(path): template_name"
      throw error
    }
  }
}

extension ChatTemplate {
  /// Some variables in place of those that are set.
  fileprivate func with(overriding variables: JSONMembers) throws -> ChatTemplate {
    var merged = self.variables
    for entry in variables.entries { merged[entry.key] = entry.value }
    return try with(variables: merged)
  }
}

extension ChatTemplate {
  /// A template by name; "auto" is the adapter's own, where it brings one, before the one that came with the tokenizer.
  package static func named(_ name: String, tokenizer: any Tokenizer, adapter: String?) throws -> ChatTemplate
  {
    guard name == auto, let own = try adapter.map(AdapterChat.init)?.files.own else {
      return try named(name, tokenizer: tokenizer)
    }
    return try .own(own, tokenizer: tokenizer)
  }
}

/// What an adapter's folder says of chat.
struct AdapterChat {
  let folder: String
  /// The folder that it lies in: a run's, where the adapter is a checkpoint.
  var around: String { URL(fileURLWithPath: folder).deletingLastPathComponent().path }
  let files: Tokenizers.ChatFiles

  /// - Parameter name: a folder, or an adapter's name on a hub.
  init(_ name: String) throws {
    folder = try LocalModels().path(of: name, for: .adapter)
    files = try Tokenizers.chatFiles(in: folder)
  }
}
