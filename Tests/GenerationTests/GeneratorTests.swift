import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyTensors
import Foundation
import Testing

@Suite struct GeneratorTests {
  func generator(_ model: FunctionModel) -> Generator<FunctionModel> {
    Generator(model: model, tokenizer: ByteTokenizer())
  }

  func one(_ model: FunctionModel, _ text: String, _ options: GenerationOptions) throws -> GenerationResult {
    try generator(model).generate([GenerationRequest(prompt: prompt(text), options: options)])[0]
  }

  @Test func stopTokenEndsTheAnswerAndIsNotInItsText() throws {
    let result = try one(FunctionModel(saying: "hello"), "ask|", greedy())
    #expect(result.text == "hello")
    #expect(result.ids == prompt("hello") + [ByteTokenizer.eos])
    #expect(result.finishReason == .stop)
  }

  @Test func lengthEndsTheAnswer() throws {
    let result = try one(FunctionModel(saying: "hello"), "ask|", greedy(3))
    #expect(result.text == "hel")
    #expect(result.finishReason == .length)
  }

  @Test func theModelsLongestSequenceEndsTheAnswer() throws {
    let model = FunctionModel(saying: "hello")
    model.maxPositions = 6
    let result = try one(model, "ask|", greedy())
    #expect(result.text == "he")
    #expect(result.finishReason == .length)
  }

  @Test func stopStringEndsTheAnswerBeforeIt() throws {
    let result = try one(FunctionModel(saying: "one\n\ntwo"), "ask|", greedy(stop: ["\n\n"]))
    #expect(result.text == "one")
    #expect(result.finishReason == .stop)
  }

  @Test func heldBackTextComesWhenLengthEndsTheAnswer() throws {
    let result = try one(FunctionModel(saying: "one\ntwo"), "ask|", greedy(4, stop: ["\n\n"]))
    #expect(result.text == "one\n")
  }

  @Test func piecesAreWholeCharactersAndJoinToTheText() throws {
    var pieces: [String] = []
    let request = GenerationRequest(prompt: prompt("|"), options: greedy())
    let results = try generator(FunctionModel(saying: "a你好🙂")).generate(
      [request], onText: { _, piece in pieces.append(piece) })
    #expect(pieces == ["a", "你", "好", "🙂"])
    #expect(results[0].text == "a你好🙂")
  }

  @Test func anIncompleteCharacterAtTheEndIsReplaced() throws {
    #expect(try one(FunctionModel(saying: "你"), "|", greedy(2)).text == "\u{FFFD}")
  }

  @Test func finishedRowsLeaveAndWaitingOnesJoin() throws {
    // Answers of 3, 1 and 2 tokens and the end; two places.
    let model = FunctionModel { sequence in
      let wanted = Int(sequence[0]) - Int(UInt8(ascii: "0"))
      return FunctionModel.peak(at: sequence.count <= wanted ? 65 : ByteTokenizer.eos)
    }
    let requests = ["3", "1", "2"].map { GenerationRequest(prompt: prompt($0), options: greedy()) }
    var finished: [Int] = []
    let results = try generator(model).generate(
      requests, batchSize: 2, onFinish: { index, _ in finished.append(index) })
    #expect(results.map(\.text) == ["AAA", "A", "AA"])
    #expect(finished == [1, 0, 2])
    #expect(model.passes == [[1, 1], [1, 1], [1, 1], [1, 1], [1]])
  }

  @Test func companyDoesNotChangeAnAnswer() throws {
    let model = FunctionModel { sequence in
      // Pseudo-random logits of the whole sequence.
      var random = CounterRandom(seed: sequence.reduce(1) { $0 &* 31 &+ UInt64($1) })
      return (0..<258).map { _ in random.float() * 8 }
    }
    var options = GenerationOptions(maxNewTokens: 20, topLogProbabilities: 3)
    options.sampling.repetitionPenalty = 1.3
    let requests = (0..<7).map { index in
      var own = options
      own.seed = UInt64(index)
      return GenerationRequest(prompt: prompt("prompt \(index)"), options: own)
    }
    let alone = try requests.map { try generator(model).generate([$0])[0] }
    for batchSize in [2, 3, 7, .max] {
      #expect(try generator(model).generate(requests, batchSize: batchSize) == alone)
    }
    #expect(Set(alone.map(\.ids)).count == 7)
  }

  @Test func longPromptsAreReadInChunks() throws {
    let model = FunctionModel(saying: "x")
    var generator = generator(model)
    generator.prefillChunk = 4
    let result = try generator.generate([
      GenerationRequest(prompt: prompt("0123456789|"), options: greedy())
    ])
    #expect(result[0].text == "x")
    #expect(model.passes == [[4], [4], [2], [1], [1]])
  }

  @Test func cancellingKeepsWhatThereIs() throws {
    var pieces = 0
    let requests = ["a|", "b|", "c|"].map { GenerationRequest(prompt: prompt($0), options: greedy()) }
    let results = try generator(FunctionModel(saying: "hello")).generate(
      requests, batchSize: 2, isCancelled: { pieces >= 4 }, onText: { _, _ in pieces += 1 })
    #expect(results.map(\.text) == ["he", "he", ""])
    #expect(results.map(\.finishReason) == [.cancelled, .cancelled, .cancelled])
  }

  @Test func topLogProbabilitiesAreTheModelsOwn() throws {
    let model = FunctionModel { _ in
      var logits = [Float](repeating: -.infinity, count: 258)
      logits[65] = Float(log(0.2))
      logits[66] = Float(log(0.5))
      logits[67] = Float(log(0.3))
      return logits
    }
    var options = greedy(2, top: 2)
    options.sampling.repetitionPenalty = 2
    let result = try one(model, "B", options)
    #expect(result.topLogProbabilities.count == 2)
    #expect(result.topLogProbabilities[0].map(\.id) == [66, 67])
    for (token, expected) in zip(result.topLogProbabilities[0], [0.5, 0.3]) {
      #expect(abs(token.logProbability - log(expected)) <= 1e-6)
    }
  }

  @Test func equalSeedsGiveEqualAnswersAndFrequenciesFollowTheDistribution() throws {
    let model = FunctionModel { _ in
      var logits = [Float](repeating: -.infinity, count: 258)
      for (id, probability) in [(65, 0.6), (66, 0.3), (67, 0.1)] { logits[id] = Float(log(probability)) }
      return logits
    }
    model.maxPositions = 10_000
    let options = GenerationOptions(
      sampling: SamplingOptions(temperature: 1, topK: 0, topP: 1), maxNewTokens: 4000, seed: 7)
    let first = try one(model, "|", options)
    #expect(try one(model, "|", options) == first)
    var other = options
    other.seed = 8
    #expect(try one(model, "|", other).ids != first.ids)
    // Five standard deviations of a frequency over 4,000 draws.
    for (id, probability) in [(65, 0.6), (66, 0.3), (67, 0.1)] {
      let frequency = Double(first.ids.count { $0 == id }) / 4000
      let deviation = (probability * (1 - probability) / 4000).squareRoot()
      #expect(abs(frequency - probability) <= 5 * deviation)
    }
  }

  @Test func memoryReadsOnlyWhatIsNew() throws {
    let model = FunctionModel(saying: "hi")
    let generator = generator(model)
    let memory = PromptMemory<FunctionModel>()
    func answer(_ text: String) throws -> String {
      try generator.generate(
        GenerationRequest(prompt: prompt(text), options: greedy()), memory: memory
      ).text
    }
    #expect(try answer("abc|") == "hi")
    #expect(model.passes == [[3], [1], [1], [1]])
    // Goes on after the answer: "abc|hi" is known, "def" is read, then "|".
    #expect(try answer("abc|hidef|") == "hi")
    #expect(model.passes.dropFirst(4) == [[3], [1], [1], [1]])
    // Another beginning: only the common part is kept.
    #expect(try answer("abX|") == "hi")
    #expect(model.passes.dropFirst(8) == [[1], [1], [1], [1]])
    // The same prompt again: at least one token is read.
    #expect(try answer("abX|") == "hi")
    #expect(model.passes.dropFirst(12) == [[1], [1], [1]])
  }

  @Test func badPromptsAreRefusedBeforeAnythingRuns() throws {
    let model = FunctionModel(saying: "hi")
    model.maxPositions = 8
    let good = GenerationRequest(prompt: prompt("|"), options: greedy())
    for bad in [[], [300], [-1], prompt("12345678")] as [[Int32]] {
      let request = GenerationRequest(prompt: bad, options: greedy(), place: "prompts.jsonl:2")
      let error = #expect(throws: FireflyError.self) { try generator(model).generate([good, request]) }
      #expect(error?.place == "prompts.jsonl:2")
    }
    #expect(model.passes.isEmpty)
  }

  @Test func logitsThatAreNotNumbersNameTheRequest() throws {
    let model = FunctionModel { _ in [Float](repeating: .nan, count: 258) }
    let request = GenerationRequest(prompt: prompt("|"), options: greedy(), place: "prompts.jsonl:2")
    let error = #expect(throws: FireflyError.self) { try generator(model).generate([request]) }
    #expect(error?.place == "prompts.jsonl:2, token 1 of the answer")
  }
}
