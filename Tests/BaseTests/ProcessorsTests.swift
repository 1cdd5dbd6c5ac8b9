import FireflyBase
import Foundation
import Testing

@Suite struct ProcessorsTests {
  @Test func listsAreRead() {
    #expect(Processors.list("0-3,8") == [0, 1, 2, 3, 8])
    #expect(Processors.list("5") == [5])
    for text in ["", "a", "3-1", "1-2-3", "1,,2", "-"] { #expect(Processors.list(text) == nil, "\(text)") }
  }

  @Test func someProcessorsAreAllowed() {
    #expect(!Processors.allowed.isEmpty && Processors.count >= 1)
  }
}
