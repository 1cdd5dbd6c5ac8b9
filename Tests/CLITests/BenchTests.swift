import FireflyBase
import Foundation
import Testing

/// What a step computes and holds does not depend on the machine's mood: it is counted, and held.
@Suite struct BenchTests {
  /// Benchmarks/counts.json holds the most that a step of four blocks of SmolLM2 may take.
  @Test(arguments: [("keeping_all", "--no-checkpointing"), ("checkpointing", "")])
  func aStepStaysWithinItsRecord(_ name: String, _ option: String) throws {
    try expect("--only training --length 256 --steps 3 \(option)", "training", "step", staysWithin: name)
  }

  /// And reading a prompt of 512 tokens.
  @Test func readingAPromptStaysWithinItsRecord() throws {
    try expect("--only generation", "generation", "prefill", staysWithin: "reading_a_prompt")
  }

  private func expect(_ options: String, _ kind: String, _ part: String, staysWithin name: String) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Benchmarks/counts.json").standardizedFileURL.path
    let record = try JSONValue.read(path)[name]
    // One thread, so that what is held at once does not depend on which tasks meet.
    let run = try Command.shell(
      "FIREFLY_THREADS=1 \"$0\" bench --device cpu --shape smollm2-blocks --precision float32 --json \(options)"
    )
    #expect(run.status == 0)
    let counts = try JSONValue.parse(run.output, source: "bench")[kind]?.array?.first?[part]
    #expect(try #require(counts?["system_allocations"]?.int) == 0)
    #expect(try #require(counts?["flop"]?.double) <= (try #require(record?["flop"]?.double)))
    #expect(try #require(counts?["pass_bytes"]?.int) <= (try #require(record?["pass_bytes"]?.int)))
    #expect(try #require(counts?["peak_bytes"]?.int) <= (try #require(record?["peak_bytes"]?.int)))
  }
}
