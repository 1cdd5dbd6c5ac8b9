import FireflyBase
import FireflyGeneration
import FireflyPretrained
import FireflyTestSupport
import Foundation
import Testing

/// How a model pools its embeddings, as sentence-transformers' folders say it.
@Suite struct PoolingTests {
  /// The tiny model's folder with such a 1_Pooling/config.json.
  private func pooling(_ config: String?) throws -> Pooling? {
    let folder = try TemporaryFolder()
    let model = folder.path + "/model"
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    try FileManager.default.copyItem(atPath: tests + "/CLITests/Fixtures/model", toPath: model)
    if let config { try folder.write(config, to: "model/1_Pooling/config.json") }
    return try Pretrained.open(model).pooling()
  }

  @Test func theFolderSaysIt() throws {
    #expect(try pooling(nil) == nil)
    #expect(
      try pooling(#"{"pooling_mode_mean_tokens": true, "pooling_mode_lasttoken": false}"#) == .mean)
    #expect(try pooling(#"{"word_embedding_dimension": 64, "pooling_mode_lasttoken": true}"#) == .last)
  }

  @Test(arguments: [
    (#"{"pooling_mode_cls_token": true}"#, "pooling_mode_cls_token"),
    (
      #"{"pooling_mode_mean_tokens": true, "pooling_mode_lasttoken": true}"#,
      "pooling_mode_lasttoken, pooling_mode_mean_tokens"
    ),
    ("{}", "none"),
  ]) func otherWaysAreTold(_ config: String, _ found: String) throws {
    let error = #expect(throws: FireflyError.self) { try pooling(config) }
    let text = "\(try #require(error))"
    #expect(text.contains("1_Pooling/config.json") && text.contains(found) && text.contains("--pooling mean"))
  }
}
