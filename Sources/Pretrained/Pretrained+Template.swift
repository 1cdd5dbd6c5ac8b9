import FireflyBase
import FireflyHub
import FireflyText
import FireflyWeights
import Foundation

extension Pretrained {
  /// The template to talk to the model with: the one named; else the one that the adapter, or all of the model, was trained
  /// with; else the model's own.
  ///
  /// - Parameter adapter: a folder, or an adapter's name on a hub; its train_args.json, or that of the folder around it,
  ///   names the template.
  /// - Throws: `FireflyError` when the name is unknown or nothing tells the template.
  public func template(named name: String?, adapter: String?) throws -> ChatTemplate {
    if let name { return try ChatTemplate.named(name, tokenizer: tokenizer) }
    let around = try adapter.map { name in
      let folder = try LocalModels().path(of: name, for: .adapter)
      return [folder, URL(fileURLWithPath: folder).deletingLastPathComponent().path]
    }
    if let recorded = try recordedTemplate((around ?? []) + [source.path]) { return recorded }
    if tokenizer.chatTemplate != nil {
      return try ChatTemplate.named(ChatTemplate.auto, tokenizer: tokenizer)
    }
    throw FireflyError(
      "nothing tells this model's chat template", at: source.path,
      fix: "Name it: --template \(ChatTemplate.names.joined(separator: "|")).")
  }

  /// The template in the record that training leaves beside its result, in the first of the folders that has one.
  private func recordedTemplate(_ folders: [String]) throws -> ChatTemplate? {
    let records = folders.map { "\($0)/train_args.json" }
    guard let record = records.first(where: FileManager.default.fileExists) else { return nil }
    guard let name = try JSONValue.read(record)["template_name"]?.string, !name.isEmpty else { return nil }
    do {
      return try ChatTemplate.named(name, tokenizer: tokenizer)
    } catch var error as FireflyError {
      error.place = "\(record): template_name"
      throw error
    }
  }
}
