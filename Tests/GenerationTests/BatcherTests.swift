import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyTensors
import Foundation
import Testing

@Suite struct BatcherTests {
  typealias Memory = PromptMemory<FunctionModel>

  func batcher(
    _ model: FunctionModel, rows: Int = 4, chunk: Int = 4, promptTokens: Int = 4, memory: Memory? = nil
  ) -> Batcher<FunctionModel> {
    Batcher(
      model: model, tokenizer: ByteTokenizer(),
      limits: Batcher.Limits(rows: rows, chunk: chunk, promptTokens: promptTokens), memory: memory)
  }

  func request(_ text: String, _ options: GenerationOptions = greedy(), adapter: String? = nil)
    -> GenerationRequest
  {
    GenerationRequest(prompt: prompt(text), options: options, adapter: adapter)
  }

  /// Runs until nothing is left; the answers by number.
  @discardableResult
  func finish(_ batcher: Batcher<FunctionModel>) throws -> [Int: GenerationResult] {
    var results: [Int: GenerationResult] = [:]
    while !batcher.isIdle {
      for update in batcher.advance() { results[update.id] = try update.outcome?.get() ?? results[update.id] }
    }
    return results
  }

  @Test func aLongPromptDoesNotHoldUpARunningAnswer() throws {
    let model = FunctionModel(saying: "hello")
    let batcher = batcher(model)
    _ = try batcher.add(request("|"))
    _ = batcher.advance()
    _ = try batcher.add(request("0123456789|"))
    try finish(batcher)
    // Between two steps of the first, one chunk of the second.
    #expect(model.passes.prefix(7) == [[1], [4], [1], [4], [1], [2], [1, 1]])
  }

  @Test func whoComesWhileOthersRunGetsTheSameAnswer() throws {
    let model = FunctionModel { sequence in
      var random = CounterRandom(seed: sequence.reduce(7) { $0 &* 31 &+ UInt64($1) })
      return (0..<258).map { _ in random.float() * 8 }
    }
    var options = GenerationOptions(maxNewTokens: 12)
    options.sampling = SamplingOptions(temperature: 1, topK: 0, topP: 1)
    let requests = (0..<6).map { index in
      var own = options
      own.seed = UInt64(index)
      return request("the same beginning, then \(index)", own)
    }
    let alone = try requests.map { one in
      let batcher = batcher(model)
      let id = try batcher.add(one)
      return try #require(try finish(batcher)[id])
    }
    let shared = batcher(model, rows: 3, memory: Memory(entries: 2, unit: 4))
    var ids: [Int] = []
    var results: [Int: GenerationResult] = [:]
    for one in requests {
      ids.append(try shared.add(one))
      for update in shared.advance() { results[update.id] = try update.outcome?.get() }
    }
    results.merge(try finish(shared)) { first, _ in first }
    for (id, expected) in zip(ids, alone) {
      #expect(results[id]?.ids == expected.ids)
      #expect(results[id]?.text == expected.text)
    }
    #expect(ids.contains { (results[$0]?.reusedCount ?? 0) > 0 })
  }

  @Test func promptsThatBeginAlikeAreReadOnce() throws {
    let model = FunctionModel(saying: "x")
    let batcher = batcher(model, promptTokens: 100, memory: Memory(entries: 4, unit: 4))
    let texts = ["0123456789a|", "0123456789b|", "0123456789c|"]
    let ids = try texts.map { try batcher.add(request($0)) }
    let results = try finish(batcher)
    #expect(ids.map { results[$0]?.reusedCount } == [0, 8, 8])
    #expect(ids.map { results[$0]?.text } == ["x", "x", "x"])
    #expect(model.passes == [[4], [4], [3, 3, 3], [1, 1, 1], [1, 1, 1]])
  }

  @Test func aConversationThatGoesOnIsNotReadAnew() throws {
    let model = FunctionModel(saying: "hi")
    let batcher = batcher(model, memory: Memory(entries: 4, unit: 4))
    _ = try batcher.add(request("abc|"))
    try finish(batcher)
    let next = try batcher.add(request("abc|hi, then|"))
    #expect(try finish(batcher)[next]?.reusedCount == 6)
    // Another adapter has other keys and values.
    let other = try batcher.add(request("abc|hi, then|", adapter: "other"))
    #expect(try finish(batcher)[other]?.reusedCount == 0)
  }

  @Test func memoryStaysWithinItsBytes() throws {
    let model = FunctionModel(saying: "hi")
    let memory = Memory(entries: 100, bytes: 40, unit: 1)
    let batcher = batcher(model, memory: memory)
    for index in 0..<9 {
      _ = try batcher.add(request("prompt \(index) of some length|"))
      try finish(batcher)
      _ = batcher.advance()
      #expect(memory.byteCount <= 40)
    }
  }

  @Test func whatIsAskedAgainIsKeptOnce() throws {
    let memory = Memory(entries: 100)
    let batcher = batcher(FunctionModel(saying: "hi"), memory: memory)
    for text in ["abc|", "abc|", "abc|hi, then|", "abc|"] {
      _ = try batcher.add(request(text))
      try finish(batcher)
    }
    #expect(memory.byteCount == "abc|hi, then|hi".utf8.count)
  }

  @Test func rowsWithOneAdapterShareAStep() throws {
    let model = FunctionModel(saying: "hi")
    let batcher = batcher(model)
    for adapter in ["a", "b", "a"] { _ = try batcher.add(request("|", adapter: adapter)) }
    try finish(batcher)
    #expect(model.passes.prefix(2) == [[1, 1], [1]])
    #expect(model.activated.prefix(2) == ["a", "b"])
  }

  @Test func cancellingFreesThePlace() throws {
    let model = FunctionModel(saying: "hello")
    let batcher = batcher(model, rows: 1)
    let first = try batcher.add(request("|"))
    let second = try batcher.add(request("|"))
    let third = try batcher.add(request("|"))
    _ = batcher.advance()
    batcher.cancel(first)
    batcher.cancel(third)
    let results = try finish(batcher)
    #expect(results[first]?.finishReason == .cancelled)
    #expect(results[second]?.text == "hello")
    #expect(results[third]?.finishReason == .cancelled)
  }

  @Test func oneFailureIsNotTheOthers() throws {
    let model = FunctionModel { sequence in
      sequence[0] == 0 ? [Float](repeating: .nan, count: 258) : FunctionModel.peak(at: ByteTokenizer.eos)
    }
    let batcher = batcher(model)
    let bad = try batcher.add(GenerationRequest(prompt: [0], options: greedy()))
    let good = try batcher.add(request("|"))
    var outcomes: [Int: Bool] = [:]
    while !batcher.isIdle {
      for update in batcher.advance() {
        if case .failure = update.outcome { outcomes[update.id] = false }
        if case .success = update.outcome { outcomes[update.id] = true }
      }
    }
    #expect(outcomes == [bad: false, good: true])
  }

  @Test(arguments: [0, 1]) func promptsAreScored(maxNewTokens: Int) throws {
    let model = FunctionModel { sequence in
      var random = CounterRandom(seed: sequence.reduce(3) { $0 &* 31 &+ UInt64($1) })
      return (0..<258).map { _ in random.float() * 4 }
    }
    var options = greedy(maxNewTokens, top: 2)
    options.scoresPrompt = true
    let text = "scored text"
    let batcher = batcher(model, memory: Memory(entries: 4))
    for _ in 0..<2 {  // the second time nothing is taken from memory
      let id = try batcher.add(request(text, options))
      let result = try #require(try finish(batcher)[id])
      #expect(result.ids.count == maxNewTokens)
      #expect(result.finishReason == .length)
      #expect(result.promptScores.map(\.id) == Array(prompt(text).dropFirst()))
      for (position, score) in result.promptScores.enumerated() {
        let cache = model.makeCache(capacity: 100)
        let logits = model.step([(cache, Array(prompt(text)[...position]))]).floats.map(Double.init)
        let logSum = log(logits.reduce(0) { $0 + exp($1) })
        #expect(abs(score.logProbability - (logits[Int(score.id)] - logSum)) <= 1e-6)
        let best = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
        #expect(score.top.map { Int($0.id) } == Array(best.prefix(2)))
        #expect(abs(score.top[0].logProbability - (logits[best[0]] - logSum)) <= 1e-6)
      }
    }
  }
}
