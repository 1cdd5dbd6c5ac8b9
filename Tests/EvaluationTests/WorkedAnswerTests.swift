import FireflyEvaluation
import Testing

@Suite struct WorkedAnswerTests {
  @Test func theResultStandsAfterTheLastMark() {
    #expect(WorkedAnswer.result(of: "5 + 7 = 12\n#### 12") == "12")
    #expect(WorkedAnswer.result(of: "#### 1\nno, #### 2 \nthat is it") == "2")
    #expect(WorkedAnswer.result(of: "12") == nil)
    #expect(WorkedAnswer.result(of: "####  \n12") == nil)
  }

  @Test(arguments: [
    "1200", "1,200", "$1200", "1200.0", "1200.", "1,200.00.", "+1200", "¥1,200", "1200元", "1200 apples",
    "1200 %",
    "01200", "1200 dollars.",
  ])
  func numbersAreEqualHoweverWritten(text: String) {
    #expect(WorkedAnswer.matches("so\n#### \(text)", reference: "#### 1200"))
  }

  @Test(arguments: ["-0.5", "-.5", "−0.50", "-$0.5", "$-0.50"])
  func signsAndDecimals(text: String) {
    #expect(WorkedAnswer.matches("#### \(text)", reference: "#### -0.5"))
  }

  @Test(arguments: [
    "#### 1201", "#### 12 00 1", "1200", "#### -1200", "#### twelve", "", "#### 1200/1", "#### 1200-1",
    "#### 1200:00",
    "#### .", "#### --1200", "#### 1.200.0",
  ])
  func otherResultsAreNot(answer: String) {
    #expect(!WorkedAnswer.matches(answer, reference: "#### 1200"))
  }

  @Test func wordsAreCompared() {
    #expect(WorkedAnswer.matches("#### yes", reference: "#### yes"))
    #expect(!WorkedAnswer.matches("#### yes", reference: "#### no"))
    #expect(WorkedAnswer.matches("#### 3/4", reference: "#### 3/4"))
  }
}
