import FireflyBase
import FireflyPretrained
import FireflyWeights
import Foundation

/// How the last hidden states of a text's tokens become one vector.
public enum Pooling: String, CaseIterable, Sendable {
  /// Their mean.
  case mean
  /// The last token's, which has seen all of the text.
  case last
}

extension Pretrained {
  /// What the model was made for: sentence-transformers' 1_Pooling/config.json, or a GGUF file's `pooling_type`.
  ///
  /// - Returns: nil where its files say nothing.
  /// - Throws: `FireflyError` for a way that is not one of `Pooling`'s.
  public func pooling() throws -> Pooling? {
    if let gguf = source.gguf {
      guard let type = gguf.metadata.first(where: { $0.key.hasSuffix(".pooling_type") })?.value.int, type != 0
      else { return nil }
      switch type {
      case 1: return .mean
      case 3: return .last
      default: throw Pretrained.unknownPooling(source.path, "pooling_type \(type)")
      }
    }
    let path = source.path + "/1_Pooling/config.json"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let modes = (try JSONValue.read(path).object ?? [:]).filter {
      $0.key.hasPrefix("pooling_mode_") && $0.value == .bool(true)
    }
    switch modes.keys.sorted() {
    case ["pooling_mode_mean_tokens"]: return .mean
    case ["pooling_mode_lasttoken"]: return .last
    default: throw Pretrained.unknownPooling(path, modes.keys.sorted().joined(separator: ", "))
    }
  }

  private static func unknownPooling(_ place: String, _ found: String) -> FireflyError {
    FireflyError(
      "the model's embeddings are pooled in a way that is not supported", at: place,
      expected: "the mean or the last token", found: found.isEmpty ? "none" : found,
      fix: "Choose one: --pooling mean or --pooling last.")
  }
}
