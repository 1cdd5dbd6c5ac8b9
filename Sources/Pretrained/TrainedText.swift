import FireflyBase
import FireflyText
import FireflyWeights

/// What goes with weights that were trained on conversations: the template, the token that ends an answer, and the tokenizer.
public struct TrainedText: Equatable, Sendable {
  /// nil: nothing tells.
  package var template: OwnTemplate?
  package var endToken: String?
  package var endID: Int32?
  /// The adapter's folder, where it brings a tokenizer.
  package var tokenizerFolder: String?

  package init(_ template: ChatTemplate?, _ tokenizer: any Tokenizer, tokenizerFolder: String? = nil) {
    self.template = template?.own
    endID = template?.endToken(tokenizer)
    endToken = endID.flatMap(tokenizer.token(of:))
    self.tokenizerFolder = tokenizerFolder
  }
}

extension Pretrained {
  /// What an adapter was trained with; nil when it brings nothing of it.
  ///
  /// To be asked of a model that was opened with the adapter.
  /// - Parameter adapter: a folder, or an adapter's name on a hub.
  /// - Throws: `FireflyError` for a broken or unsupported template.
  public func trainedText(adapter: String) throws -> TrainedText? {
    let brought = try AdapterChat(adapter)
    let folder = tokenizerPath == source.path ? nil : tokenizerPath
    let tells = try brought.files.own != nil || hasRecord(brought)
    guard tells || folder != nil else { return nil }
    return TrainedText(
      tells ? try template(named: nil, adapter: adapter) : nil, tokenizer, tokenizerFolder: folder)
  }
}
