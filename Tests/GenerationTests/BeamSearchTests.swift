import FireflyBase
import FireflyDoubles
import FireflyGeneration
import FireflyPretrained
import FireflyTensors
import Foundation
import Testing

@Suite struct BeamSearchTests {
  func options(
    beams: Int, _ maxNewTokens: Int = 12, lengthPenalty: Double = 1, _ earlyStopping: EarlyStopping = .no,
    repetitionPenalty: Double = 1, stop: [String] = []
  ) -> GenerationOptions {
    var options = greedy(maxNewTokens, stop: stop)
    options.numBeams = beams
    options.lengthPenalty = lengthPenalty
    options.earlyStopping = earlyStopping
    options.sampling.repetitionPenalty = repetitionPenalty
    return options
  }

  func request(_ text: String, _ options: GenerationOptions) -> GenerationRequest {
    GenerationRequest(prompt: prompt(text), options: options)
  }

  func answer(_ model: FunctionModel, _ request: GenerationRequest) throws -> GenerationResult {
    try Generator(model: model, tokenizer: ByteTokenizer()).generate([request])[0]
  }

  /// Knows only the `letters` and the end; which is likely depends on all that stands before.
  func model(letters: String, spread: Float = 3) -> FunctionModel {
    let ids = letters.utf8.map(Int.init) + [Int(ByteTokenizer.eos)]
    return FunctionModel { sequence in
      var random = CounterRandom(seed: sequence.reduce(5) { $0 &* 31 &+ UInt64($1) })
      var logits = [Float](repeating: -.infinity, count: 258)
      for id in ids { logits[id] = random.float() * spread }
      return logits
    }
  }

  // MARK: - The right answer

  @Test func answersAreThoseOfTransformers() throws {
    let file = try JSONValue.read(TransformersBeams.file)
    let cases = try #require(file["cases"]?.array)
    let requests = try cases.map { try TransformersBeams.request($0, file) }
    let pretrained = try Pretrained.open(TransformersBeams.model)
    let generator = Generator(
      model: try pretrained.load(.init(compute: .float32)), tokenizer: pretrained.tokenizer)
    var pieces = [String](repeating: "", count: requests.count)
    let results = try generator.generate(requests, batchSize: 7, onText: { pieces[$0] += $1 })
    #expect(results.count > 100)
    for (index, (result, expected)) in zip(results, cases).enumerated() {
      #expect(result.ids.map { .int(Int($0)) } == expected["ids"]?.array, "\(expected.text())")
      #expect(result.text == pieces[index])
      guard let score = expected["score"]?.double else {
        #expect(result.beamScore == nil)
        continue
      }
      #expect(abs((result.beamScore ?? .nan) - score) <= 1e-4, "\(expected.text())")
    }
  }

  /// As many beams as there are beginnings: nothing is left out, so the answer is the best of all.
  @Test(arguments: [-1.0, 0, 0.5, 1, 2], [1, 1.4]) func enoughBeamsFindTheBestOfAllAnswers(
    lengthPenalty: Double, repetitionPenalty: Double
  ) throws {
    for text in ["a", "bc", "the prompt"] {
      let model = model(letters: "abc")
      let wanted = options(
        beams: 64, 3, lengthPenalty: lengthPenalty, .never, repetitionPenalty: repetitionPenalty)
      let found = try answer(model, request(text, wanted))
      let best = try #require(
        all(model, prompt(text), wanted).max { $0.score < $1.score }, "there are answers")
      #expect(found.ids == best.ids)
      #expect(abs((found.beamScore ?? .nan) - best.score) <= 1e-5)
    }
  }

  /// Every answer of at most `maxNewTokens` tokens and its score, by the definition.
  func all(_ model: FunctionModel, _ prompt: [Int32], _ options: GenerationOptions) -> [(
    ids: [Int32], score: Double
  )] {
    func grow(_ ids: [Int32], _ total: Double) -> [(ids: [Int32], score: Double)] {
      if ids.last == ByteTokenizer.eos || ids.count == options.maxNewTokens {
        return [(ids, total / pow(Double(ids.count), options.lengthPenalty))]
      }
      let logits = model.step([(model.makeCache(capacity: 100), prompt + ids)]).floats.map(Double.init)
      let logSum = log(logits.reduce(0) { $0 + exp($1) })
      return logits.indices.filter { logits[$0] > -.infinity }.flatMap { id in
        let isSeen = (prompt + ids).contains(Int32(id))
        let score = (logits[id] - logSum) * (isSeen ? options.sampling.repetitionPenalty : 1)
        return grow(ids + [Int32(id)], total + score)
      }
    }
    return grow([], 0)
  }

  @Test func companyAndSharedBeginningsDoNotChangeAnAnswer() throws {
    let model = model(letters: "abcdefgh")
    let requests = (0..<6).map { index in
      request("the same beginning, then \(index)", options(beams: 1 + index % 4, 15, lengthPenalty: 0.5))
    }
    let alone = try requests.map { try answer(model, $0) }
    #expect(Set(alone.map(\.ids)).count > 3)
    let batcher = Batcher(
      model: model, tokenizer: ByteTokenizer(), limits: .init(rows: 3, chunk: 4, promptTokens: 8),
      memory: PromptMemory(entries: 2, unit: 4))
    var results: [Int: GenerationResult] = [:]
    var ids: [Int] = []
    for one in requests {  // each comes while others search
      ids.append(try batcher.add(one))
      for _ in 0..<3 { for update in batcher.advance() { results[update.id] = try update.outcome?.get() } }
    }
    while !batcher.isIdle {
      for update in batcher.advance() { results[update.id] = try update.outcome?.get() }
    }
    #expect(ids.map { results[$0]?.ids } == alone.map(\.ids))
    #expect(ids.map { results[$0]?.beamScore } == alone.map(\.beamScore))
    #expect(ids.contains { (results[$0]?.reusedCount ?? 0) > 0 })
  }

  // MARK: - Steps and memory

  @Test func allBeamsShareAStep() throws {
    let model = model(letters: "abcdefgh")
    _ = try answer(model, request("prompt", options(beams: 4, 5, lengthPenalty: 3)))
    #expect(model.passes == [[5], [1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
  }

  @Test func aConversationGoesOnAfterTheAnswer() throws {
    let model = FunctionModel(saying: "hi")
    let generator = Generator(model: model, tokenizer: ByteTokenizer())
    let memory = PromptMemory<FunctionModel>()
    let first = try generator.generate(request("abc|", options(beams: 3)), memory: memory)
    #expect(first.text == "hi")
    #expect(memory.byteCount == "abc|hi".utf8.count)
    let second = try generator.generate(request("abc|hi, then|", options(beams: 3)), memory: memory)
    #expect(second.text == "hi")
    #expect(second.reusedCount == "abc|hi".utf8.count)
  }

  // MARK: - Text

  @Test func whatAllBeamsAgreeInIsToldAtOnce() throws {
    let sure = prompt("sure ")
    let model = FunctionModel { sequence in
      let length = sequence.count - 1
      if length < sure.count { return FunctionModel.peak(at: sure[length]) }
      if length > 8 { return FunctionModel.peak(at: ByteTokenizer.eos) }
      return (0..<258).map { $0 == 65 || $0 == 66 ? 10 : 0 }
    }
    var pieces: [String] = []
    let result = try Generator(model: model, tokenizer: ByteTokenizer()).generate(
      [request("|", options(beams: 2))], onText: { pieces.append($1) })[0]
    #expect(pieces.joined() == result.text)
    #expect(result.text == "sure AAAA")
    #expect(pieces.count > 3)
  }

  @Test func aStopStringEndsABeam() throws {
    let text = "one\n\ntwo"
    let result = try answer(FunctionModel(saying: text), request("|", options(beams: 3, stop: ["\n\n"])))
    #expect(result.text == "one")
    #expect(result.ids == prompt("one\n\n"))
    #expect(result.finishReason == .stop)
    let length = try answer(FunctionModel(saying: text), request("|", options(beams: 3, 4, stop: ["\n\n"])))
    #expect(length.text == "one\n")
    #expect(length.finishReason == .length)
  }

  @Test func cancellingGivesTheBestSoFar() throws {
    let model = model(letters: "abcdefgh")
    var wanted = options(beams: 3, 40, lengthPenalty: 3, .never)
    let generator = Generator(model: model, tokenizer: ByteTokenizer())
    var steps = 0
    var pieces = ""
    let result = try generator.generate(
      [request("go", wanted)],
      isCancelled: {
        steps += 1
        return steps > 6
      }, onText: { pieces += $1 })[0]
    #expect(result.finishReason == .cancelled)
    #expect(pieces == result.text)
    // The same as the search that may be no longer.
    wanted.maxNewTokens = result.ids.count
    let short = try answer(model, request("go", wanted))
    #expect(result.ids == short.ids)
    #expect(result.beamScore == short.beamScore)
    let unread = try generator.generate([request("go", wanted)], isCancelled: { true })[0]
    #expect(unread.ids.isEmpty && unread.finishReason == .cancelled)
  }

  @Test func logProbabilitiesAreTheModelsOwn() throws {
    let model = model(letters: "abcdefgh")
    var wanted = options(beams: 3, 8, repetitionPenalty: 1.5)
    wanted.topLogProbabilities = 2
    let result = try answer(model, request("go", wanted))
    #expect(result.ids.count > 1)
    var before = prompt("go")
    for token in result.tokens {
      let logits = model.step([(model.makeCache(capacity: 100), before)]).floats.map(Double.init)
      let logSum = log(logits.reduce(0) { $0 + exp($1) })
      #expect(abs((token.logProbability ?? .nan) - (logits[Int(token.id)] - logSum)) <= 1e-5)
      let best = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(2)
      #expect(token.top.map { Int($0.id) } == Array(best))
      before.append(token.id)
    }
  }

  @Test func theModelsLongestSequenceEndsTheSearch() throws {
    let model = model(letters: "ab")
    model.maxPositions = 8
    let result = try answer(model, request("prompt", options(beams: 150, lengthPenalty: 5, .never)))
    #expect(result.ids.count == 2)
  }

  @Test func logitsThatAreNotNumbersNameTheToken() throws {
    let model = FunctionModel { sequence in
      sequence.count < 4 ? FunctionModel.peak(at: 65) : [Float](repeating: .nan, count: 258)
    }
    let error = #expect(throws: FireflyError.self) {
      try answer(model, request("ab", options(beams: 2)))
    }
    #expect(error?.place == "prompt, token 3 of the answer")
  }
}

/// The cases of tools/reference/beam_fixtures.py.
private enum TransformersBeams {
  static let tests = ((#filePath as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
  static let file = tests + "/GenerationTests/Fixtures/beams.json"
  static let model = tests + "/CLITests/Fixtures/model"

  static func request(_ entry: JSONValue, _ file: JSONValue) throws -> GenerationRequest {
    func ids(_ value: JSONValue?) throws -> [Int32] {
      try #require(value?.array).map { try #require($0.int.flatMap { Int32(exactly: $0) }) }
    }
    var options = GenerationOptions(
      sampling: .greedy, maxNewTokens: try #require(file["max_new_tokens"]?.int),
      stopIDs: Set(try ids(file["stop_ids"])),
      stopStrings: entry["stop_strings"]?.array?.compactMap(\.string) ?? [])
    options.numBeams = try #require(entry["num_beams"]?.int)
    options.lengthPenalty = try #require(entry["length_penalty"]?.double)
    options.sampling.repetitionPenalty = try #require(entry["repetition_penalty"]?.double)
    options.earlyStopping = try #require(entry["early_stopping"].flatMap(EarlyStopping.init))
    options.rules = try GenerationOptions.defaults(from: entry, source: "beams.json").options.rules
    return GenerationRequest(prompt: try ids(entry["prompt_ids"]), options: options)
  }
}
