import FireflyBase
import FireflyGeneration
import FireflyText

/// What a chat and a completion have in common: how answers are chosen, when they end, and how they are sent.
struct AnswerParameters: Sendable {
  var options: GenerationOptions
  /// Answers to each prompt.
  var n: Int
  /// Answers to each prompt of which the `n` likeliest are given.
  var bestOf: Int
  var stream: Bool
  var includesUsage: Bool

  /// Stop strings of a request, and the bytes of one.
  private static let (mostStops, longestStop) = (64, 1000)

  /// - Parameters:
  ///   - defaults: what holds where the request says nothing.
  ///   - vocabularySize: ids of `logit_bias` are below it.
  /// - Throws: `APIError` naming the parameter.
  init(_ parameters: Parameters, defaults: GenerationOptions, limits: ServerOptions, vocabularySize: Int)
    throws
  {
    options = defaults
    try AnswerParameters.sampling(&options.sampling, parameters, temperatures: 0...2)
    options.sampling.presencePenalty = try parameters.number("presence_penalty", in: -2...2) ?? 0
    options.sampling.frequencyPenalty = try parameters.number("frequency_penalty", in: -2...2) ?? 0
    options.sampling.logitBias = try AnswerParameters.bias(parameters, below: vocabularySize)
    try AnswerParameters.endings(&options, parameters, limits, vocabularySize: vocabularySize)
    options.seed =
      try parameters.whole("seed", in: Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) }
      ?? .random(in: 0 ... .max)
    n = try parameters.whole("n", in: 1...limits.answersPerRequest) ?? 1
    bestOf = n
    stream = try parameters.flag("stream") ?? false
    includesUsage = try AnswerParameters.streamOptions(parameters, stream: stream)
  }

  /// What ends an answer, and what of that is shown.
  private static func endings(
    _ options: inout GenerationOptions, _ parameters: Parameters, _ limits: ServerOptions, vocabularySize: Int
  ) throws {
    if let least = try parameters.whole("min_tokens", in: 0...limits.maxTokens) {
      options.rules.minNewTokens = least
    }
    options.stopStrings += try parameters.texts("stop", atMost: mostStops, longest: longestStop)
    if try parameters.flag("ignore_eos") == true { options.stopIDs = [] }
    options.stopIDs.formUnion(try parameters.tokens("stop_token_ids", below: vocabularySize))
    let allowed = Set(try parameters.tokens("allowed_token_ids", below: vocabularySize))
    if !allowed.isEmpty {
      options.rules.suppressed += (0..<Int32(vocabularySize)).filter { !allowed.contains($0) }
    }
    options.keepsStopString = try parameters.flag("include_stop_str_in_output") ?? false
    options.skipsSpecialTokens = try parameters.flag("skip_special_tokens") ?? true
  }

  /// Adds `bad_words`, each as it is spelled within a text and at its beginning.
  mutating func forbidWords(_ parameters: Parameters, _ tokenizer: any Tokenizer) throws {
    for word in try parameters.texts("bad_words", atMost: 64, longest: 100) {
      for spelling in [word, " " + word] {
        let ids = (try? tokenizer.encode(spelling, parseSpecial: true)) ?? []
        if !ids.isEmpty, !options.rules.badWords.contains(ids) { options.rules.badWords.append(ids) }
      }
    }
  }

  /// Adds the tokens that end an answer of the template's, unless the request ignores them.
  mutating func stop(at ids: [Int32], _ parameters: Parameters) {
    if parameters["ignore_eos"] != .bool(true) { options.stopIDs.formUnion(ids) }
  }

  /// Temperature, top-k, top-p, min-p and repetition penalty.
  static func sampling(
    _ sampling: inout SamplingOptions, _ parameters: Parameters, temperatures: ClosedRange<Double>
  ) throws {
    sampling.temperature = try parameters.number("temperature", in: temperatures) ?? sampling.temperature
    if let topP = try parameters.number("top_p", in: 0...1) {
      sampling.topP = max(topP, .leastNonzeroMagnitude)  // 0 leaves the most likely token
    }
    if let topK = try parameters.whole("top_k", in: -1...Int.max) { sampling.topK = max(topK, 0) }
    sampling.minP = try parameters.number("min_p", in: 0...1) ?? sampling.minP
    sampling.repetitionPenalty =
      try parameters.number("repetition_penalty", in: 0.01...100) ?? sampling.repetitionPenalty
    sampling.typicalP =
      try parameters.number("typical_p", in: Double.leastNonzeroMagnitude...1) ?? sampling.typicalP
    // llama-server's penalties look back so far; ours at everything.
    if sampling.repetitionPenalty != 1 { try parameters.refuse("repeat_last_n", unless: [.int(-1)]) }
  }

  /// `logit_bias`: token ids, as strings, and numbers.
  private static func bias(_ parameters: Parameters, below vocabularySize: Int) throws -> [Int32: Double] {
    guard let value = parameters["logit_bias"] else { return [:] }
    let expected = "an object of token ids below \(vocabularySize) and numbers from -100 to 100"
    guard let members = value.object else { throw parameters.wrong("logit_bias", expected, value) }
    var bias: [Int32: Double] = [:]
    for (key, value) in members {
      guard let id = Int32(key), (0..<vocabularySize).contains(Int(id)), let number = value.double,
        abs(number) <= 100
      else { throw parameters.wrong("logit_bias", expected, .object([key: value])) }
      bias[id] = number
    }
    return bias
  }

  private static func streamOptions(_ parameters: Parameters, stream: Bool) throws -> Bool {
    guard let value = parameters["stream_options"] else { return false }
    guard stream else {
      throw APIError.invalid("\"stream_options\" is for streams; set \"stream\" to true.", "stream_options")
    }
    guard let members = value.object else {
      throw parameters.wrong("stream_options", "an object", value)
    }
    for (name, value) in members.sorted(by: { $0.key < $1.key }) where value != .null && value.bool == nil {
      throw APIError.invalid("\"stream_options.\(name)\" must be true or false.", "stream_options.\(name)")
    }
    let options = members.filter { $0.value == .bool(true) }
    // Padding of events against listeners is OpenAI's, and theirs to leave out.
    let known: Set = ["include_usage", "include_obfuscation"]
    if let other = options.keys.sorted().first(where: { !known.contains($0) }) {
      throw APIError.invalid(
        "\"stream_options.\(other)\" is not supported.", "stream_options.\(other)",
        code: "unsupported_parameter")
    }
    return options["include_usage"] != nil
  }

  /// Sets how many tokens an answer may have: the first of `names` that the request gives, or `usual`.
  mutating func limitTokens(
    _ parameters: Parameters, _ names: [String], atLeast least: Int, usual: Int, limit: Int
  ) throws {
    let given = try names.compactMap { name in
      try parameters.whole(name, in: least...limit).map { (name: name, count: $0) }
    }
    options.maxNewTokens = given.first?.count ?? min(usual, limit)
    for other in given.dropFirst() where other.count != options.maxNewTokens {
      parameters.warnings.add(
        "\"\(parameters.given(other.name))\" has no effect here: \"\(names[0])\" goes before it.")
    }
  }

  /// The requests, one for each answer: `bestOf` to every prompt, each with a seed of its own.
  func requests(_ prompts: [[Int32]], adapter: String, place: String) -> [GenerationRequest] {
    prompts.flatMap { prompt in
      (0..<bestOf).map { index in
        var own = options
        own.seed = options.seed &+ UInt64(index)
        return GenerationRequest(prompt: prompt, options: own, place: place, adapter: adapter)
      }
    }
  }
}
