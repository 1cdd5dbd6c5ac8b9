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
  /// The file that it was read from; nil: it was made here.
  let file: String?
  /// Weights that the matrix is of, as the file counts them.
  let count: Int
  private let means: [String: [Float]]
  /// Rows that went through each weight; empty for what was read from a file.
  private let rows: [String: Int]

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
    self.init(
      dataset: (path as NSString).lastPathComponent, chunks: texts.count, means: squares.means,
      rows: squares.rows)
  }

  /// - Parameters:
  ///   - means: by the name of the weight, the mean square of each column's input.
  ///   - rows: how many inputs there were, by the same names.
  package init(dataset: String, chunks: Int, means: [String: [Float]], rows: [String: Int] = [:]) {
    self.dataset = dataset
    self.chunks = chunks
    self.means = means
    self.rows = rows
    (file, count) = (nil, means.count)
  }

  /// Of the weight's columns, `[in]`; nil: they count alike.
  func columns(of weight: String) -> Tensor? { means[weight].map { Tensor($0, [$0.count]) } }
}

// MARK: - llama.cpp's files

extension ImportanceMatrix {
  /// Reads what llama-imatrix or `write` has written of the same model, in GGUF or in the older form.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - pretrained: the model that is to be quantised.
  /// - Throws: `FireflyError` when the file is damaged or of another model.
  public init(file path: String, for pretrained: Pretrained) throws {
    let stored = try GGUFImportance(path)
    let (model, weights) = (try GGUFModel(pretrained.source), pretrained.source.weights)
    var means: [String: [Float]] = [:]
    for name in weights.namesOfParts {
      guard let place = try model.places(of: name).first, let all = stored.means[place.name] else { continue }
      let columns = try weights.shape(of: name).last ?? 1
      let matrices = place.expert == nil ? 1 : model.architecture.experts?.count ?? 1
      guard all.count == matrices * columns else {
        throw FireflyError(
          "the importance matrix is of another model", at: "\(path): \(place.name)",
          expected: "\(matrices * columns) numbers", found: "\(all.count)")
      }
      let first = (place.expert ?? 0) * columns
      means[name] = Array(all[first..<first + columns])
    }
    guard !means.isEmpty else {
      throw FireflyError(
        "the importance matrix is of another model", at: path, expected: "names as blk.0.attn_q.weight",
        found: stored.means.keys.min() ?? "none")
    }
    (self.means, rows, file, count) = (means, [:], path, stored.means.count)
    (dataset, chunks) = (stored.datasets.first ?? "", stored.chunks)
  }

  /// Writes a matrix that was made here as llama-imatrix does, for `llama-quantize --imatrix`.
  ///
  /// - Parameters:
  ///   - path: a GGUF file, replaced only when the new one is whole.
  ///   - pretrained: the model that it was made by.
  /// - Throws: `FireflyError` when something is there and is not to be replaced, or the family has no GGUF file.
  public func write(to path: String, for pretrained: Pretrained, overwrite: Bool = false) throws {
    precondition(file == nil, "a matrix that was read from a file")
    let inputs = pretrained.source.gguf?.paths ?? [pretrained.source.path]
    let path = try ConversionOutput.file.checked(path, overwrite: overwrite, inputs: inputs)
    let (model, weights) = (try GGUFModel(pretrained.source), pretrained.source.weights)
    var entries: [String: [(means: [Float], rows: Int)]] = [:]
    for name in weights.namesOfParts {
      for place in try model.places(of: name) {
        if let own = means[name] {
          entries[place.name, default: []].append((own, rows[name] ?? 0))
        } else if place.expert != nil {
          // No row went through this expert.
          entries[place.name, default: []].append(
            ([Float](repeating: 0, count: try weights.shape(of: name)[1]), 0))
        }
      }
    }
    try GGUFImportance.write(
      entries.map { GGUFImportance.Entry(name: $0, matrices: $1) }, dataset: dataset, chunks: chunks,
      chunkSize: ImportanceMatrix.window, to: path)
  }
}
