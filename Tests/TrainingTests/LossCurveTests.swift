import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

@Suite struct LossCurveTests {
  /// The points of the n-th polyline that has more than two.
  private func lines(_ svg: String) -> [[Substring]] {
    svg.split(separator: "<polyline points=\"").dropFirst().map {
      $0.prefix { $0 != "\"" }.split(separator: " ")
    }.filter { $0.count > 2 }
  }

  @Test func drawsEveryStepAndASmoothedLine() throws {
    let svg = LossCurve(title: "a <b> & c", losses: [3, 2, 1, 0.5]).svg()
    #expect(lines(svg).map(\.count) == [4, 4])
    // Steps 1…4 on an axis to 4, losses on an axis from 0.5 to 3.
    #expect(lines(svg)[0] == ["272.5,56.0", "475.0,201.6", "677.5,347.2", "880.0,420.0"])
    #expect(svg.contains("a &lt;b&gt; &amp; c"))
    #expect(svg.contains("loss (nats per target token)") && svg.contains("optimizer step"))
    #expect(svg.contains("smoothed"))
  }

  @Test func isWellFormedXML() throws {
    for losses in [[], [1.0], [2, 2, 2], [.nan, .infinity], [1, .nan, 0.5], [1e-9, 1e9]] {
      let svg = LossCurve(title: "run", losses: losses).svg()
      let isBalanced = tagsAreBalanced(svg)
      let isFinite = !svg.contains("NaN") && !svg.contains("inf")
      #expect(isBalanced && isFinite, "\(losses)")
    }
  }

  @Test func manyStepsAreBinned() throws {
    let svg = LossCurve(title: "long", losses: (0..<10_000).map { 1 / Double($0 + 1) }).svg()
    #expect(lines(svg)[0].count <= 800)
    #expect(svg.contains("mean of 13 steps"))
    #expect(svg.utf8.count < 60_000)
  }

  @Test func isWrittenWhole() throws {
    let folder = try TemporaryFolder()
    let curve = LossCurve(title: "run", losses: [1, 2])
    try curve.write(to: folder.path + "/loss.svg")
    #expect(String(decoding: try folder.data("loss.svg"), as: UTF8.self) == curve.svg())
    #expect(try folder.names() == ["loss.svg"])
  }
}

/// Whether each tag that is opened is closed, in order.
private func tagsAreBalanced(_ text: String) -> Bool {
  var open: [Substring] = []
  for piece in text.split(separator: "<") {
    guard let end = piece.firstIndex(of: ">") else { return false }
    let tag = piece[..<end]
    if tag.hasPrefix("/") {
      guard open.popLast() == tag.dropFirst() else { return false }
    } else if !tag.hasSuffix("/") {
      open.append(tag.prefix { $0 != " " && $0 != "\n" })
    }
  }
  return open.isEmpty
}
