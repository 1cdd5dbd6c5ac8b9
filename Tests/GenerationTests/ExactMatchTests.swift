import FireflyGeneration
import Testing

@Suite struct ExactMatchTests {
  @Test func theResultStandsAfterTheLastMark() {
    #expect(ExactMatch.result(of: "5 + 7 = 12\n#### 12") == "12")
    #expect(ExactMatch.result(of: "#### 1\nno, #### 2 \nthat is it") == "2")
    #expect(ExactMatch.result(of: "12") == nil)
    #expect(ExactMatch.result(of: "####  \n12") == nil)
  }

  @Test(arguments: ["1200", "1,200", "$1200", "1200.0", "1200.", "+1200", "¥1,200", "1200元"])
  func numbersAreEqualHoweverWritten(text: String) {
    #expect(ExactMatch.matches("so\n#### \(text)", reference: "#### 1200"))
  }

  @Test(arguments: ["#### 1201", "#### 12 00 1", "1200", "#### -1200", "#### twelve", ""])
  func otherResultsAreNot(answer: String) {
    #expect(!ExactMatch.matches(answer, reference: "#### 1200"))
  }

  @Test func wordsAreCompared() {
    #expect(ExactMatch.matches("#### yes", reference: "#### yes"))
    #expect(!ExactMatch.matches("#### yes", reference: "#### no"))
  }
}
