import FireflyBase
import Foundation
import Testing

/// What a step computes and holds does not depend on the machine's mood: it is counted, and held.
@Suite struct BenchTests {
  /// Benchmarks/counts.json holds the most that a step of four blocks of SmolLM2 may take.
  @Test(arguments: [("keeping_all", "--no-checkpointing"), ("checkpointing", "")])
  func aStepStaysWithinItsRecord(_ name: String, _ option: String) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Benchmarks/counts.json").standardizedFileURL.path
    let record = try JSONValue.read(path)[name]
    // One thread, so that what is held at once does not depend on which tasks meet.
    let run = try Command.shell(
      "FIREFLY_THREADS=1 \"$0\" bench --shape smollm2-blocks --only training --length 256 --steps 3 "
        + "--precision float32 --json \(option)")
    #expect(run.status == 0)
    let step = try JSONValue.parse(run.output, source: "bench")["training"]?.array?.first
    #expect(try #require(step?["system_allocations"]?.int) == 0)
    #expect(try #require(step?["flop"]?.double) <= (try #require(record?["flop"]?.double)))
    #expect(try #require(step?["peak_bytes"]?.int) <= (try #require(record?["peak_bytes"]?.int)))
  }
}
