import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@Suite struct GenerateTests {
  /// Every log-probability within this of transformers', both in float32.
  static let tolerance = 1e-3

  let exact = [
    "--greedy", "--json", "--top-logprobs", "5", "--max-new-tokens", "12", "--precision", "float32",
  ]

  func expectEqual(_ found: JSONValue, _ expected: JSONValue?) throws {
    let expected = try #require(expected)
    #expect(found["prompt_ids"] == expected["prompt_ids"])
    #expect(found["ids"] == expected["ids"])
    let steps = try #require(found["top_logprobs"]?.array)
    let wanted = try #require(expected["top"]?.array)
    #expect(steps.count == wanted.count)
    for (step, wanted) in zip(steps, wanted) {
      let pairs = try #require(wanted.array)
      #expect(step.array?.count == pairs.count)
      for (entry, pair) in zip(step.array ?? [], pairs) {
        #expect(entry["id"] == pair.array?.first)
        let difference = abs((entry["logprob"]?.double ?? .nan) - (pair.array?.last?.double ?? .nan))
        #expect(difference <= Self.tolerance)
      }
    }
  }

  @Test func aRawPromptGoesOnAsWithTransformers() throws {
    let expected = try Fixture.expected()
    let text = try #require(expected["raw_prompt"]?.string)
    let outcome = try Command.run(["generate", Fixture.model, "--raw", "--prompt", text] + exact)
    #expect(outcome.status == 0)
    try expectEqual(try #require(try outcome.json().first), expected["raw"])
  }

  @Test func aQuestionGoesThroughTheModelsTemplate() throws {
    let expected = try Fixture.expected()
    let text = try #require(expected["question"]?.string)
    let outcome = try Command.run(["generate", Fixture.model, "--prompt", text] + exact)
    try expectEqual(try #require(try outcome.json().first), expected["chat"])
  }

  @Test func anAdapterBringsItsTrainingTemplate() throws {
    let expected = try Fixture.expected()
    let text = try #require(expected["question"]?.string)
    let outcome = try Command.run(
      ["generate", Fixture.model, "--adapter", Fixture.adapter, "--prompt", text] + exact)
    try expectEqual(try #require(try outcome.json().first), expected["adapter"])
  }

  @Test func beamsTakeTheMostLikelyAnswer() throws {
    let words = [
      "generate", Fixture.model, "--prompt", "x", "--max-new-tokens", "8", "--precision", "float32",
    ]
    func score(_ more: String...) throws -> Double {
      let object = try #require(
        try Command.run(words + more + ["--json", "--top-logprobs", "1"]).json().first)
      let beams = try #require(object["beam_score"]?.double)
      #expect(object["ids"]?.array?.count == object["top_logprobs"]?.array?.count)
      return beams
    }
    let four = try score("--beams", "4", "--length-penalty", "0", "--early-stopping", "never")
    let one = try #require(
      try Command.run(words + ["--greedy", "--json", "--top-logprobs", "1"]).json().first)
    let greedy = try #require(one["top_logprobs"]?.array).reduce(0) {
      $0 + ($1.array?.first?["logprob"]?.double ?? .nan)
    }
    #expect(one["beam_score"] == nil)
    #expect(four > greedy)
  }

  @Test(arguments: [
    (["--beams", "0"], "from 1 to 256"), (["--beams", "1000"], "from 1 to 256"),
    (["--beams", "2", "--temperature", "0.7"], "--beams and --temperature cannot be used together"),
    (["--beams", "2", "--greedy"], "--beams and --greedy cannot be used together"),
    (["--beams", "2", "--early-stopping", "maybe"], "one of false|true|never"),
    (["--beams", "1", "--length-penalty", "2"], "it needs --beams of at least 2"),
    (["--early-stopping", "true"], "it needs --beams of at least 2"),
    (["--greedy", "--top-p", "0.5"], "--top-p cannot be used here: the most likely token is always taken"),
    (["--temperature", "0", "--top-k", "5"], "--top-k cannot be used here"),
    (["--beams", "2", "--min-p", "0.5"], "--beams and --min-p cannot be used together"),
  ])
  func contradictionsAreRefused(more: [String], message: String) throws {
    let outcome = try Command.run(["generate", Fixture.model, "--prompt", "x"] + more)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test func aFileIsAnsweredInItsOrderWhateverTheBatch() throws {
    try inTemporaryFolder { folder in
      let path = folder + "/prompts.jsonl"
      let lines = [
        #"{"prompt": "one"}"#, #"{"conversation": [{"human": "two, a longer one", "assistant": "2"}]}"#, "",
        #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "three"}]}"#,
      ]
      try AtomicFile.write(Data(lines.joined(separator: "\n").utf8), to: path)
      let base = ["generate", Fixture.model, "--file", path, "--json", "--max-new-tokens", "6"]
      let one = try Command.run(base + ["--batch-size", "1", "--precision", "float32"])
      let three = try Command.run(base + ["--batch-size", "3", "--precision", "float32"])
      #expect(one.status == 0)
      #expect(one.output == three.output)
      let system = try Command.run(base + ["--system", "other"])
      #expect(
        system.errors
          == "firefly: system text of the row, before which --system has no effect: 1 (\(path):4)\n")
      let places = try one.json().map { $0["source"]?.string }
      #expect(places == [1, 2, 4].map { "\(path):\($0)" })
    }
  }

  @Test func withoutJSONOnlyTheTextIsPrinted() throws {
    let words = ["generate", Fixture.model, "--prompt", "x", "--max-new-tokens", "4", "--seed", "3"]
    let plain = try Command.run(words)
    let json = try Command.run(words + ["--json"]).json()
    #expect(plain.output == (json[0]["text"]?.string ?? "") + "\n")
    #expect(
      plain.errors
        == "firefly: the answer was cut off after 4 tokens; --max-new-tokens N allows longer ones\n")
    #expect(json[0]["finish_reason"]?.string == "length")
  }

  @Test func standardInputIsOnePrompt() throws {
    let words = ["generate", Fixture.model, "--greedy", "--max-new-tokens", "4", "--json"]
    let piped = try Command.run(words, input: "one\ntwo\n").json()
    let given = try Command.run(words + ["--prompt", "one\ntwo"]).json()
    #expect(piped.count == 1 && piped[0]["source"]?.string == "standard input")
    #expect(piped[0]["ids"] == given[0]["ids"] && piped[0]["prompt_ids"] == given[0]["prompt_ids"])
    let nothing = try Command.run(words)
    #expect(nothing.status == 2)
  }

  @Test func howManyAnswersWereCutOffIsToldOnce() throws {
    let outcome = try Command.run(
      "generate", Fixture.model, "--prompt", "x", "--prompt", "y", "--greedy", "--max-new-tokens", "4")
    #expect(outcome.status == 0)
    #expect(
      outcome.errors
        == "firefly: 2 of 2 answers were cut off after 4 tokens; --max-new-tokens N allows longer ones\n")
  }

  @Test func theModelsMaxLengthIsToldByItsName() throws {
    try inTemporaryFolder { folder in
      for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(folder)/\(name)", withDestinationPath: "\(Fixture.model)/\(name)")
      }
      try AtomicFile.write(
        Data(#"{"max_length": 4, "do_sample": false}"#.utf8), to: folder + "/generation_config.json")
      let outcome = try Command.run("generate", folder, "--raw", "--prompt", "x")
      #expect(
        outcome.errors
          == "firefly: the answer was cut off by the model's max_length 4; --max-new-tokens N allows longer ones\n"
      )
      // The same number, but of new tokens.
      let longer = try Command.run(
        "generate", folder, "--raw", "--prompt", "x", "--max-new-tokens", "4", "--json")
      #expect(try longer.json().first?["ids"]?.array?.count == 4)
    }
  }

  @Test func equalSeedsGiveEqualAnswers() throws {
    func answer(_ seed: String) throws -> String {
      try Command.run(
        "generate", Fixture.model, "--prompt", "x", "--max-new-tokens", "20", "--temperature", "1",
        "--seed", seed
      ).output
    }
    #expect(try answer("1") == answer("1"))
    #expect(try answer("1") != answer("2"))
    // With min-p 1 the most likely token alone is kept.
    func ids(_ more: String...) throws -> JSONValue? {
      try Command.run(["generate", Fixture.model, "--prompt", "x", "--max-new-tokens", "9", "--json"] + more)
        .json()
        .first?["ids"]
    }
    #expect(try ids("--temperature", "2", "--min-p", "1") == ids("--greedy"))
  }

  @Test(arguments: [
    (#"{"promt": "x"}"#, ":1: the row has no prompt"), ("{", ":1: not valid JSON"),
    ("", ": the file has no rows"),
  ])
  func badRowsAreNamed(text: String, message: String) throws {
    try inTemporaryFolder { folder in
      let path = folder + "/prompts.jsonl"
      try AtomicFile.write(Data(text.utf8), to: path)
      let outcome = try Command.run("generate", Fixture.model, "--file", path)
      #expect(outcome.status == 1)
      #expect(outcome.errors.hasPrefix("firefly: \(path)\(message)"))
    }
  }

  @Test func aModelWithoutATemplateAsksForOne() throws {
    try inTemporaryFolder { folder in
      for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(folder)/\(name)", withDestinationPath: "\(Fixture.model)/\(name)")
      }
      let outcome = try Command.run("generate", folder, "--prompt", "x")
      #expect(outcome.status == 1)
      #expect(outcome.errors.hasPrefix("firefly: \(folder): nothing tells this model's chat template"))
      #expect(outcome.errors.contains("--template") && outcome.errors.contains("--raw"))
      let named = try Command.run(
        "generate", folder, "--prompt", "x", "--template", "default", "--max-new-tokens", "2")
      #expect(named.status == 0)
    }
  }

  @Test func unknownTemplatesAndLongPromptsAreRefused() throws {
    let template = try Command.run("generate", Fixture.model, "--prompt", "x", "--template", "qwem")
    #expect(template.status == 1)
    #expect(template.errors.contains("qwen"))
    let long = try Command.run(
      "generate", Fixture.model, "--raw", "--prompt", String(repeating: "word ", count: 400))
    #expect(long.status == 1)
    #expect(long.errors.contains("too long"))
  }
}
