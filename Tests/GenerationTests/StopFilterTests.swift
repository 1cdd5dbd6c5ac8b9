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

  @Test func aStopStringMaySpellSpecialTokens() {
    let specials = [Array("<|im_end|>".utf8): Int32(2), Array("<|im".utf8): 3]
    // As the token, with text before and behind it, and as plain text.
    for (stop, isFound) in [
      ("<|im_end|>", true), ("two<|im_end|>", true), ("<|im_end|>\n", true), ("<|im", false), ("end", false),
    ] {
      var filter = StopFilter([stop], specials: specials)
      var text = filter.append("one two")
      text += filter.append(special: 2)
      text += filter.append("\nthree")
      text += filter.finish()
      #expect(filter.hasStopped == isFound)
      #expect(text == (isFound ? stop.hasPrefix("two") ? "one " : "one two" : "one two\nthree"))
    }
    var plain = StopFilter(["<|im_end|>"], specials: specials)
    #expect(plain.append("one <|im_end|>") + plain.finish() == "one ")
    #expect(plain.hasStopped)
  }

  @Test func theStopStringMayBeKept() {
    var filter = StopFilter(["lo w", "world"], keepsStop: true)
    #expect(filter.append("hello world") == "hello w")
    #expect(filter.append("!") + filter.finish() == "")
  }

  @Test func textThatNearlyStopsAgainAndAgainPasses() {
    let text = String(repeating: "aab", count: 1000)
    let result = passed(["aabaabaaa"], text.map(String.init))
    #expect(result.pieces.joined() == text)
    #expect(passed(["aabaabaaa"], (text + "aabaabaaa").map(String.init)).stopped)
  }
}
