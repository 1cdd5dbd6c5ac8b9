import FireflyBase
import FireflyHub
import FireflyText
import FireflyWeights
import Foundation

extension Pretrained {
  /// The template to talk to the model with: the one named; else the one that the adapter was trained with; else the
  /// model's own.
  ///
  /// - Parameter adapter: a folder, or an adapter's name on a hub; its train_args.json, or that of the folder around it,
  ///   names the template.
  /// - Throws: `FireflyError` when the name is unknown or nothing tells the template.
  public func template(named name: String?, adapter: String?) throws -> ChatTemplate {
    if let name { return try ChatTemplate.named(name, tokenizer: tokenizer) }
    if let recorded = try adapter.flatMap(recordedTemplate) { return recorded }
    if tokenizer.chatTemplate != nil {
      return try ChatTemplate.named(ChatTemplate.auto, tokenizer: tokenizer)
    }
    throw FireflyError(
      "nothing tells this model's chat template", at: source.path,
      fix: "Name it: --template \(ChatTemplate.names.joined(separator: "|")).")
  }

  /// The template in the record that training leaves in output_dir, where the adapter or its checkpoint stands.
  private func recordedTemplate(_ adapter: String) throws -> ChatTemplate? {
    let folder = URL(fileURLWithPath: try LocalModels().path(of: adapter, for: .adapter))
    let records = [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("train_args.json").path
    }
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
