import FireflyBase
import FireflyGeneration
import Testing

@Suite struct GenerationOptionsTests {
  func read(_ json: String) throws -> (options: GenerationOptions, notes: [String]) {
    try GenerationOptions.defaults(
      from: JSONValue.parse(json, source: "test"), source: "generation_config.json")
  }

  @Test func withoutAFileTheOriginalsSettingsHold() throws {
    let (options, notes) = try GenerationOptions.defaults(from: nil, source: "")
    #expect(options == GenerationOptions())
    #expect(options.sampling == SamplingOptions(temperature: 0.35, topK: 50, topP: 0.9, repetitionPenalty: 1))
    #expect(options.maxNewTokens == 500)
    #expect(notes.isEmpty)
  }

  @Test func theModelsValuesReplaceThem() throws {
    let (options, notes) = try read(
      """
      {"do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": 0.1, "repetition_penalty": 1.05,
       "max_new_tokens": 64, "eos_token_id": [7, 9], "stop_strings": "END", "num_beams": 1, "typical_p": 1.0}
      """)
    #expect(
      options.sampling
        == SamplingOptions(temperature: 0.7, topK: 20, topP: 0.8, minP: 0.1, repetitionPenalty: 1.05))
    #expect(options.maxNewTokens == 64)
    #expect(options.stopIDs == [7, 9])
    #expect(options.stopStrings == ["END"])
    #expect(notes.isEmpty)
  }

  @Test func anExplicitDoSampleFalseIsGreedy() throws {
    #expect(try read(#"{"do_sample": false, "temperature": 0.7}"#).options.sampling.temperature == 0)
    #expect(try read(#"{"eos_token_id": 2}"#).options.sampling.temperature == 0.35)
    #expect(try read(#"{"eos_token_id": 2}"#).options.stopIDs == [2])
  }

  @Test func keysWithoutEffectAreTold() throws {
    #expect(
      try read(#"{"num_beam_groups": 4, "no_repeat_ngram_size": 0}"#).notes == [
        "generation_config.json: num_beam_groups is not supported and has no effect (found 4)"
      ])
  }

  /// An answer that ends by such a token would never end.
  @Test func tokensThatTheModelLacksAreTold() throws {
    let json = #"{"eos_token_id": [2, 50256], "suppress_tokens": [99], "bad_words_ids": [[7], [1, 100]]}"#
    let config = try JSONValue.parse(json, source: "file")
    let known = try GenerationOptions.defaults(from: config, source: "file", vocabularySize: 50257)
    #expect(known.notes.isEmpty)
    let few = try GenerationOptions.defaults(from: config, source: "file", vocabularySize: 100)
    #expect(
      few.notes == [
        "file: eos_token_id names token 50256, which has no effect: the model has 100 tokens",
        "file: bad_words_ids names token 100, which has no effect: the model has 100 tokens",
      ])
    #expect(few.options == known.options)
  }

  @Test func beamsAreRead() throws {
    let (options, notes) = try read(
      #"{"do_sample": true, "num_beams": 4, "length_penalty": -0.5, "early_stopping": "never"}"#)
    #expect(options.numBeams == 4)
    #expect(options.lengthPenalty == -0.5)
    #expect(options.earlyStopping == .never)
    #expect(
      notes == ["generation_config.json: do_sample has no effect: num_beams 4 take the most likely answer"])
    #expect(try read(#"{"early_stopping": true}"#).options.earlyStopping == .yes)
    #expect(try read(#"{"early_stopping": false}"#).options.earlyStopping == .no)
    let usual = GenerationOptions()
    #expect(usual.numBeams == 1 && usual.lengthPenalty == 1 && usual.earlyStopping == .no)
  }

  @Test(arguments: [
    (#"{"temperature": "hot"}"#, "temperature"), (#"{"temperature": -1}"#, "temperature"),
    (#"{"top_p": -0.5}"#, "top_p"), (#"{"top_p": 1.5}"#, "top_p"), (#"{"top_k": -1}"#, "top_k"),
    (#"{"eos_token_id": "</s>"}"#, "eos_token_id"), (#"{"eos_token_id": [1, 2.5]}"#, "eos_token_id"),
    (#"{"num_beams": 0}"#, "num_beams"), (#"{"num_beams": 100000}"#, "num_beams"),
    (#"{"length_penalty": 11}"#, "length_penalty"), (#"{"early_stopping": "yes"}"#, "early_stopping"),
    (#"{"early_stopping": 1}"#, "early_stopping"),
    (#"{"eos_token_id": 99999999999}"#, "eos_token_id"), (#"{"stop_strings": [1]}"#, "stop_strings"),
  ])
  func unusableValuesNameTheirKey(json: String, key: String) {
    let error = #expect(throws: FireflyError.self) { try read(json) }
    #expect(error?.place == "generation_config.json: \(key)")
  }
}
