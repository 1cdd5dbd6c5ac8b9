import FireflyModels
import FireflyWeights
import Foundation
import Testing

/// The pages of model names say of each what the program does with its `model_type`.
@Suite struct ModelNamesTests {
  private struct Words {
    let runs, part, refused, quantised: String
  }

  private static let pages = [
    "model-names.md": Words(
      runs: "runs", part: "runs: its text part", refused: "refused: `model_type`",
      quantised: "refused: `quantization_config` ("),
    "model-names.zh-CN.md": Words(
      runs: "可运行", part: "可运行：文本部分", refused: "拒绝：`model_type`", quantised: "拒绝：`quantization_config`（"),
  ]

  @Test(arguments: pages.keys.sorted()) func pagesSayWhatIsDone(_ page: String) throws {
    let words = try #require(Self.pages[page])
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/\(page)")
      .path()
    let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("| ") }.dropFirst()
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    #expect(rows.count >= 120)
    #expect(Set(rows.map { $0[0] }).count == rows.count)
    for row in rows {
      let (type, result) = (row[1], row[2])
      if ModelSource.textPartTypes.contains(type) {
        #expect(result == words.part, "\(row)")
      } else if Architecture.familyNames.contains(type) {
        #expect(result == words.runs || result.hasPrefix(words.quantised), "\(row)")
      } else {
        #expect(result == words.refused, "\(row)")
      }
    }
  }
}
