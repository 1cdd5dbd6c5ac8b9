import FireflyBase
import FireflyModels
import FireflyWeights
import Testing

/// Which layers a fresh adapter is for, by PEFT's keys: Fixtures/adapters/choices.json, made by
/// tools/reference/adapter_fixtures.py.
@Suite struct AdapterChoiceTests {
  private let architecture: Architecture

  init() throws {
    architecture = try Architecture.read(ModelSource.open(ModelFixture.root + "/gqa")).architecture
  }

  private func applied(_ keys: [String: JSONValue]) throws -> LoRAOptions {
    try AdapterChoice(keys, source: "run.json").applied(to: LoRAOptions(rank: 4, alpha: 8), architecture)
  }

  @Test func layersRanksAndFactorsArePEFTs() throws {
    let choices = try #require(JSONValue.read(ModelFixture.root + "/adapters/choices.json").array)
    #expect(choices.count > 30)
    for choice in choices {
      var keys = try #require(choice["keys"]?.object)
      if keys["target_modules"] == .string("all-linear") { keys["target_modules"] = nil }
      let expected = try #require(choice["modules"]?.object)
      let options = try applied(keys)
      let modules = try #require(options.targetModules)
      #expect(Set(modules) == Set(expected.keys), "\(choice["keys"]?.text() ?? "")")
      for module in modules {
        let values = expected[module]?.array?.compactMap(\.double) ?? []
        let rank = options.rankPattern.value(of: module) ?? options.rank
        let alpha = options.alphaPattern.value(of: module) ?? options.alpha
        #expect([Double(rank), alpha / Double(rank)] == values, "\(module): \(choice["keys"]?.text() ?? "")")
      }
    }
  }

  @Test(arguments: [
    ("target_modules", #""q_proj""#, "no linear layer"), ("layers_to_transform", "[7]", "no linear layer"),
    ("rank_pattern", #"{"q_proj": 0}"#, "\"rank_pattern\" has a wrong value"),
    ("rank_pattern", #"{"lm_head": 2}"#, "the pattern fits no layer"),
    ("alpha_pattern", #"{"q_proj": 1, "layers.0.*": 2}"#, "two patterns say different things"),
  ])
  func whatSaysNothingOrTwoThingsIsRefused(_ key: String, _ value: String, _ what: String) throws {
    let error = #expect(throws: FireflyError.self) {
      try applied([key: JSONValue.parse(value, source: "test")])
    }
    #expect(error?.description.contains(what) == true, "\(error?.description ?? "nothing")")
  }
}
