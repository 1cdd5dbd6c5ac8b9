import CNodes
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

  @Test func threadsOfOneCoreAreOneCore() throws {
    let folder = try TemporaryFolder()
    for (cpu, siblings) in [(0, "0,4"), (1, "1,5"), (2, "2-3"), (3, "2-3"), (4, "0,4"), (5, "1,5")] {
      try folder.write(siblings + "\n", to: "cpu\(cpu)/topology/thread_siblings_list")
    }
    #expect(Processors.cores(of: [0, 1, 2, 3, 4, 5], in: folder.path) == 3)
    #expect(Processors.cores(of: [1, 4], in: folder.path) == 2, "one thread of each of two cores")
    #expect(Processors.cores(of: [0, 4, 7, 8], in: folder.path) == 3, "nothing is told of 7 and 8")
    #expect((1...Processors.allowed.count).contains(Processors.threads))
  }

  @Test func threadsAreNoMoreThanTheControlGroupGivesTimeTo() {
    #expect(Processors.threads(cores: 64, limit: 2.5) == 2)
    #expect(Processors.threads(cores: 64, limit: 0.5) == 1)
    #expect(Processors.threads(cores: 4, limit: 16) == 4)
    #expect(Processors.threads(cores: 4, limit: nil) == 4)
  }

  /// A policy is a thread's own, so another tries it: over two nodes that a folder tells of, where the system permits it,
  /// and not again, as one that is there stays.
  @Test func pagesAreSpreadOverTheNodesOfTheOwnProcessors() throws {
    let folder = try TemporaryFolder()
    for (number, text) in [(0, "0-1"), (1, "2-3"), (10, "4-5"), (2, "")] {
      try folder.write(text + "\n", to: "node\(number)/cpulist")
    }
    let path = folder.path
    struct Found: Sendable {
      var ofOneNode, first, again: [Int]
      var before, after: Int32
    }
    let found = try onAnotherThread {
      let ofOneNode = MemoryNodes.spreadPages(in: path, processors: [4, 5])
      let before = nodes_have_policy()
      let first = MemoryNodes.spreadPages(in: path, processors: [1, 3, 4])
      let after = nodes_have_policy()
      let again = MemoryNodes.spreadPages(in: path, processors: [1, 3])
      return Found(ofOneNode: ofOneNode, first: first, again: again, before: before, after: after)
    }
    #expect(found.ofOneNode == [] && found.again == [])
    if found.first.isEmpty {
      #expect(found.before != 0 || found.after == 0, "a policy that was not told")
    } else {
      #expect(found.first == [0, 1, 10] && found.before == 0 && found.after == 1)
    }
  }

  private func onAnotherThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws -> Result {
    let result = Locked<Result?>(nil)
    let done = DispatchSemaphore(value: 0)
    Thread {
      let found = body()
      result.withLock { $0 = found }
      done.signal()
    }.start()
    done.wait()
    return try #require(result.withLock { $0 })
  }

  @Test func someProcessorsAreAllowed() {
    #expect(!Processors.allowed.isEmpty && Processors.count >= 1)
  }
}
