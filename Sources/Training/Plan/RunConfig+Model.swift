import FireflyModels
import FireflyPretrained
import FireflyText
import FireflyWeights

extension RunConfig {
  /// Opens the model as the run trains it: with the tables and the tokenizer that its adapter was trained with, where these are
  /// not the model's; with a row for each token on request; and with a head of its own where head or embedding is trained by
  /// itself.
  func openModel() throws -> Pretrained {
    var opened = try Pretrained.open(modelPath)
    if let startAdapter, try !opened.takes(adapter: startAdapter) {
      opened = try Pretrained.open(modelPath, adapter: startAdapter)
    }
    var source = opened.source
    if resizesVocabulary { source = try source.grown(to: opened.tokenizer.vocabularySize) }
    let savesTable = mode != .full && startAdapter == nil && !modulesToSave.isEmpty
    if savesTable && !tiesSavedModules { source = try source.untied() }
    return opened.replacing(source: source)
  }
}
