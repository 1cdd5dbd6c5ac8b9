import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyGeneration

/// generation_config.json against transformers' own logits processors, numbers of tools/reference/sampling_fixtures.py.
@Suite struct SamplingFixtureTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/sampling.json").path()
  private static let names: [String] =
    ((try? JSONValue.read(file))?["cases"]?.array ?? []).compactMap { $0["name"]?.string }

  private func ids(_ value: JSONValue?) -> [Int32] {
    (value?.array ?? []).compactMap { $0.int.map(Int32.init) }
  }

  @Test func allCasesAreThere() { #expect(Self.names.count > 25) }

  @Test(arguments: names)
  func probabilitiesAreTransformers(_ name: String) throws {
    let file = try JSONValue.read(Self.file)
    let row = try #require(file["cases"]?.array?.first { $0["name"]?.string == name })
    let logits = (file["logits"]?.array ?? []).compactMap { $0.double.map(Float.init) }
    let expected = (row["probabilities"]?.array ?? []).compactMap(\.double)
    let prompt = ids(row["prompt"])
    let (options, notes) = try GenerationOptions.defaults(from: row["config"], source: "test")
    #expect(notes.isEmpty)
    var history = TokenHistory(
      prompt: prompt, options: options, limit: options.limit(prompt: prompt.count))
    for id in ids(row["answer"]) { history.add(id) }
    let distribution = try history.distribution(logits)

    if row["config"]?["do_sample"]?.bool == false {
      let best = expected.indices.max { expected[$0] < expected[$1] }
      #expect(distribution.ids == [Int32(try #require(best))])
      return
    }
    #expect(Set(distribution.ids) == Set(expected.indices.filter { expected[$0] > 0 }.map { Int32($0) }))
    assertClose(
      distribution.probabilities, distribution.ids.map { expected[Int($0)] },
      Tolerance(relative: 1e-5, absolute: 1e-6))
  }
}
