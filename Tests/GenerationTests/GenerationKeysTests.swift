import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyGeneration

/// Every key that transformers' GenerationConfig knows (tools/reference/known_keys.py) is followed, told, or known to change
/// nothing.
@Suite struct GenerationKeysTests {
  private static let known: [String] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/keys/generation_config.json").path()
    return ((try? JSONValue.read(path))?["keys"]?.object ?? [:]).keys.sorted()
  }()

  private func read(_ members: [String: JSONValue]) throws -> (options: GenerationOptions, notes: [String]) {
    try GenerationOptions.defaults(from: .object(members), source: "generation_config.json")
  }

  /// A value that none of the keys has by itself.
  private func unusual(_ key: String) -> JSONValue {
    switch key {
    case "bad_words_ids": .array([.array([.int(3)])])
    case "exponential_decay_length_penalty": .array([.int(3), .double(1.5)])
    case "sequence_bias": .array([.array([.array([.int(3)]), .double(1.5)])])
    case "stop_strings": .string("END")
    case "do_sample": .bool(false)
    case "early_stopping", "remove_invalid_values", "renormalize_logits", "token_healing": .bool(true)
    case "epsilon_cutoff", "eta_cutoff", "min_p", "temperature", "top_h", "top_p", "typical_p": .double(0.25)
    case "length_penalty", "repetition_penalty", "encoder_repetition_penalty", "guidance_scale": .double(1.5)
    case "constraints", "force_words_ids": .array([.array([.int(1)])])
    case "dola_layers": .string("high")
    case "watermarking_config": .object(["bias": .double(1)])
    default: .int(7)
    }
  }

  @Test func theListIsThere() { #expect(Self.known.count > 60) }

  @Test(arguments: known)
  func noKeyPassesUnseen(_ key: String) throws {
    #expect(try read([key: .null]).notes.isEmpty)
    let (options, notes) = try read([key: unusual(key)])
    let isFollowed = options != GenerationOptions()
    let isTold = notes.contains { $0.contains(key) }
    #expect(isFollowed || isTold || KeyTable.generation.harmless.contains(key))
    #expect(!notes.contains { $0.contains("not known") })
    #expect(
      key.hasSuffix("token_id") || KeyTable.generation.harmless.contains(key)
        || GenerationKeys.all.contains(key))
  }

  @Test func anUnknownKeyIsTold() throws {
    #expect(
      try read(["top_kk": .int(3), "also_new": .bool(false), "top_k": .int(3)]).notes == [
        "generation_config.json: keys that are not known and have no effect: also_new, top_kk"
      ])
  }

  @Test func maxLengthHoldsUntilAnotherNumberIsSaid() throws {
    var options = try read(["max_length": .int(20)]).options
    #expect(options.limit(prompt: 15) == 5)
    options.capNewTokens(at: 18)
    #expect(options.limit(prompt: 15) == 5)
    #expect(options.limit(prompt: 1) == 18)
    options.maxNewTokens = 20  // the same number, but of new tokens
    #expect(options.limit(prompt: 15) == 20)
    let both = try read(["max_length": .int(20), "max_new_tokens": .int(9)]).options
    #expect(both.limit(prompt: 15) == 9)
  }

  @Test(arguments: [
    (#"{"bad_words_ids": [3]}"#, "bad_words_ids"), (#"{"bad_words_ids": [[]]}"#, "bad_words_ids"),
    (#"{"sequence_bias": {"3": 1.5}}"#, "sequence_bias"),
    (#"{"sequence_bias": [[[], 1.5]]}"#, "sequence_bias"),
    (#"{"suppress_tokens": ["a"]}"#, "suppress_tokens"), (#"{"typical_p": 0}"#, "typical_p"),
    (#"{"exponential_decay_length_penalty": [1]}"#, "exponential_decay_length_penalty"),
    (#"{"no_repeat_ngram_size": -1}"#, "no_repeat_ngram_size"), (#"{"max_length": 0}"#, "max_length"),
  ])
  func unusableValuesNameTheirKey(_ json: String, _ key: String) throws {
    let config = try JSONValue.parse(json, source: "test")
    let error = #expect(throws: FireflyError.self) {
      try GenerationOptions.defaults(from: config, source: "file")
    }
    #expect(error?.place == "file: \(key)")
  }

  @Test func rulesThatLeaveNothingAreAnError() throws {
    var options = GenerationOptions()
    options.rules.suppressed = [0, 1, 2]
    let history = TokenHistory(prompt: [1], options: options, limit: 5)
    let error = #expect(throws: FireflyError.self) { try history.distribution([1, 2, 3]) }
    #expect(error?.description.contains("suppress_tokens") == true)
  }
}
