import FireflyBase
import FireflyText

/// Finds ids that the model does not have: they would index past its embedding.
///
/// - Parameter path: the samples' file.
/// - Throws: `FireflyError` with the line of the first one.
package func checkVocabulary(
  _ samples: [Sample], vocabularySize: Int, path: String, model: String
) throws {
  let limit = Int32(clamping: vocabularySize)
  for sample in samples {
    guard let id = sample.tokens.first(where: { $0 < 0 || $0 >= limit }) else { continue }
    throw FireflyError(
      "the tokenizer gives an id that the model does not have", at: "\(path):\(sample.line)",
      expected: "below \(limit)", found: "\(id)",
      fix: "The tokenizer and the weights of \(model) do not belong together.")
  }
}
