import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// A base and what was trained from it answer the same prompt.
@Suite struct ChatTests {
  private func waits(_ bench: StudioBench) throws -> JSONValue {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      let state = try bench.answer("chat-state")
      if state["state"] != .string("loading") { return state }
    }
    throw FireflyError("the models were not loaded")
  }

  private func answer(_ bench: StudioBench, _ side: String) throws -> Reply {
    try bench.ask(
      side,
      [
        "model": .string(side), "temperature": .int(0), "max_tokens": .int(6),
        "messages": .array([.object(["role": .string("user"), "content": .string("say 3")])]),
      ])
  }

  @Test func bothSidesAnswer() throws {
    let bench = try StudioBench()
    #expect(try answer(bench, "chat-base").status == 409)
    let adapter = (#filePath as NSString).deletingLastPathComponent + "/../CLITests/Fixtures/run/adapter"
    let words: [String: JSONValue] = ["model": .string(bench.model), "trained": .string(adapter)]
    #expect(try bench.answer("chat-open", words)["state"] != nil)
    let state = try waits(bench)
    try #require(state["state"] == .string("ready"), "\(state.text())")
    for side in ["chat-base", "chat-trained"] {
      let reply = try answer(bench, side)
      #expect(reply.status == 200, "\(reply.text)")
      #expect(try reply.json()["usage"]?["completion_tokens"]?.int ?? 0 > 0)
    }
    // A model that was trained whole is one of its own.
    _ = try bench.answer("chat-open", ["model": .string(bench.model), "trained": .string(bench.model)])
    #expect(try waits(bench)["state"] == .string("ready"))
    let both = try ["chat-base", "chat-trained"].map {
      try answer(bench, $0).json()["choices"]?.array?.first?["message"]?["content"]
    }
    #expect(both[0] != nil && both[0] == both[1])
    #expect(try bench.answer("chat-close")["state"] == .string("empty"))
    #expect(try answer(bench, "chat-trained").status == 409)
  }

  @Test func whatCannotBeLoadedIsSaid() throws {
    let bench = try StudioBench()
    _ = try bench.answer(
      "chat-open", ["model": .string(bench.model), "trained": .string(bench.path + "/none")])
    let state = try waits(bench)
    #expect(state["state"] == .string("failed"))
    #expect(state["error"]?.string?.contains("none") == true)
  }
}
