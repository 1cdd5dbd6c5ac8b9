import FireflyGeneration
import Testing

@Suite struct StopFilterTests {
  func passed(_ stops: [String], _ pieces: [String]) -> (pieces: [String], stopped: Bool) {
    var filter = StopFilter(stops)
    var out = pieces.map { filter.append($0) }
    out.append(filter.finish())
    return (out, filter.hasStopped)
  }

  @Test func withoutStopsTextPassesAtOnce() {
    #expect(passed([], ["a", "b"]).pieces == ["a", "b", ""])
    #expect(passed([""], ["a", "b"]).pieces == ["a", "b", ""])
  }

  @Test func whatMayBecomeAStopIsHeldBack() {
    let result = passed(["###"], ["one #", "#", " two"])
    #expect(result.pieces == ["one ", "", "## two", ""])
    #expect(!result.stopped)
  }

  @Test func stopAcrossPiecesEndsTheText() {
    let result = passed(["###"], ["one #", "##", "gone"])
    #expect(result.pieces == ["one ", "", "", ""])
    #expect(result.stopped)
  }

  @Test func theEarliestOfSeveralStopsCounts() {
    let result = passed(["world", "lo"], ["hello world"])
    #expect(result.pieces == ["hel", ""])
  }

  @Test func heldTextComesAtTheEnd() {
    #expect(passed(["<end>"], ["a<en"]).pieces == ["a", "<en"])
  }

  @Test func stopsOfSeveralByteCharacters() {
    #expect(passed(["结束"], ["开始结", "束了"]).pieces == ["开始", "", ""])
    #expect(passed(["结束"], ["开始结", "果"]).pieces == ["开始", "结果", ""])
  }
}
