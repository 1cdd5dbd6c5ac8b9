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
    throw unknownID(id, at: "\(path):\(sample.line)", vocabularySize, model)
  }
}

/// The same for a data set, which knows its largest id: no row is read.
package func checkVocabulary(_ data: Dataset, vocabularySize: Int, model: String) throws {
  let largest = data.samples.largestToken
  guard largest.id < vocabularySize else {
    throw unknownID(largest.id, at: data.report.place(largest.line), vocabularySize, model)
  }
}

private func unknownID(_ id: Int32, at place: String, _ vocabularySize: Int, _ model: String) -> FireflyError
{
  FireflyError(
    "the tokenizer gives an id that the model does not have", at: place, expected: "below \(vocabularySize)",
    found: "\(id)",
    fix:
      "The tokenizer and the weights of \(model) do not belong together, unless tokens were added to it: a training "
      + "run's \"resize_vocab\": true gives them rows.")
}
