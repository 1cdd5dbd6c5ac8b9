import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@Suite struct ProcessorsTests {
  @Test func listsAreRead() {
    #expect(Processors.list("0-3,8") == [0, 1, 2, 3, 8])
    #expect(Processors.list("5") == [5])
    for text in ["", "a", "3-1", "1-2-3", "1,,2", "-"] { #expect(Processors.list(text) == nil, "\(text)") }
  }

  @Test func nodesOfMemoryAreThoseWithProcessors() throws {
    let folder = try TemporaryFolder()
    for (name, text) in [("node0", "0-1,4\n"), ("node1", "2-3\n"), ("node2", "\n"), ("power", "7\n")] {
      try folder.write(text, to: "\(name)/cpulist")
    }
    #expect(Processors.nodes(in: folder.path) == [[0, 1, 4], [2, 3]])
    #expect(Processors.nodes(in: folder.path + "/none").isEmpty && Processors.memoryNodes >= 1)
  }

  @Test func someProcessorsAreAllowed() {
    #expect(!Processors.allowed.isEmpty && Processors.count >= 1)
  }
}
