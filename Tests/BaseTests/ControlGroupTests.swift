import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyBase

/// Limits of memory and of processors, in folders as the two versions of control groups have them.
@Suite struct ControlGroupTests {
  private func limit(_ groups: String, _ files: [String: String]) throws -> Int? {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(Data(text.utf8), to: name) }
    return ControlGroup.memoryLimit(groups: groups, root: folder.path)
  }

  @Test func theLeastOfAGroupAndThoseAroundItCounts() throws {
    let files = [
      "memory.max": "9000\n", "a/memory.max": "4000\n", "a/b/memory.max": "max\n", "c/memory.max": "1\n",
    ]
    #expect(try limit("0::/a/b\n", files) == 4000)
    #expect(try limit("0::/\n", files) == 9000)
    #expect(try limit("0::/a/b\n", ["a/b/memory.max": "max\n"]) == nil)
    // In a container the path can be one of the machine's; what is mounted is the container's own group.
    #expect(try limit("0::/machine/of/others\n", ["memory.max": "7000\n"]) == 7000)
  }

  @Test func versionOneSaysNoLimitByALargeNumber() throws {
    let groups = "5:cpu,cpuacct:/x\n4:memory:/x\n0::/\n"
    let none = ["memory/memory.limit_in_bytes": "9223372036854771712\n"]
    let inner = ["memory/x/memory.limit_in_bytes": "5000"]
    #expect(try limit(groups, none.merging(inner) { $1 }) == 5000)
    #expect(try limit(groups, none) == nil)
    #expect(try limit("", [:]) == nil)
  }

  private func processors(_ groups: String, _ files: [String: String]) throws -> Double? {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(Data(text.utf8), to: name) }
    return ControlGroup.processorLimit(groups: groups, root: folder.path)
  }

  @Test func processorsAreAShareOfTime() throws {
    #expect(try processors("0::/a\n", ["cpu.max": "max 100000\n", "a/cpu.max": "250000 100000\n"]) == 2.5)
    #expect(try processors("0::/a\n", ["cpu.max": "50000 100000\n", "a/cpu.max": "250000 100000\n"]) == 0.5)
    #expect(try processors("0::/\n", ["cpu.max": "max 100000\n"]) == nil)
    #expect(try processors("0::/\n", [:]) == nil)
    let groups = "5:cpu,cpuacct:/x\n4:memory:/x\n"
    let none = ["cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"]
    let inner = ["cpu/x/cpu.cfs_quota_us": "400000", "cpu/x/cpu.cfs_period_us": "100000"]
    #expect(try processors(groups, none.merging(inner) { $1 }) == 4)
    #expect(try processors(groups, none) == nil)
  }
}
