import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights
import Foundation

/// How much the columns of a model's matrices matter, by a text: what errors of quantising are weighed with, as by
/// llama.cpp's importance matrix. The embedding and the head are not weighed.
public struct ImportanceMatrix: Sendable {
  /// The name of the text's file.
  let dataset: String
  /// Pieces of the text that the model read.
  let chunks: Int
  private let means: [String: [Float]]

  /// Tokens that the model reads at a time.
  private static let window = 512

  /// Runs the model over a text, in pieces of 512 tokens that each start as a text does.
  ///
  /// - Parameters:
  ///   - path: a text in UTF-8; as it lies in the file.
  ///   - adapter: the one that `pretrained` was opened with; nil for none.
  ///   - compute: the type of products; nil for what this machine's processor computes with.
  ///   - progress: called with the share done, 0…1; what it throws ends the reading.
  /// - Throws: `FireflyError` when the text has no tokens, or the model's numbers overflow on it.
  public init(
    of path: String, by pretrained: Pretrained, adapter: String? = nil, compute: DType? = nil,
    progress: ((Double) throws -> Void)? = nil
  ) throws {
    let text = try DataContent.text(path)
    let tokenizer = pretrained.tokenizer
    let ids = try tokenizer.encode(text, parseSpecial: false)
    guard !ids.isEmpty else {
      throw FireflyError("the text to calibrate with is empty", at: path, expected: "some pages of text")
    }
    let start = tokenizer.textStart
    let size = ImportanceMatrix.window - start.count
    let texts = stride(from: 0, to: ids.count, by: size).map { start + ids[$0..<min($0 + size, ids.count)] }
    let options = Pretrained.Options(compute: compute, quantization: .none, adapter: adapter)
    let squares = try InputSquares(pretrained.load(options), texts: texts, progress: progress)
    if let (name, _) = squares.means.first(where: { !$0.value.allSatisfy(\.isFinite) }) {
      throw FireflyError(
        "the model's numbers are not finite on the text to calibrate with",
        at: "\(pretrained.source.path): \(name)",
        fix: "The weights are damaged or overflow: 'firefly eval perplexity' tells where.")
    }
    self.init(dataset: (path as NSString).lastPathComponent, chunks: texts.count, means: squares.means)
  }

  /// - Parameter means: by the name of the weight, the mean square of each column's input.
  package init(dataset: String, chunks: Int, means: [String: [Float]]) {
    self.dataset = dataset
    self.chunks = chunks
    self.means = means
  }

  /// Matrices that are weighed.
  var count: Int { means.count }

  /// Of the weight's columns, `[in]`; nil: they count alike.
  func columns(of weight: String) -> Tensor? { means[weight].map { Tensor($0, [$0.count]) } }
}
