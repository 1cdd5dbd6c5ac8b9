import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation

/// `POST /firefly`, the original's service: `{"inputs": text, …keywords of transformers' generate()…}` is answered by
/// `{"input": text, "output": text}`.
///
/// One turn through the template that the model was trained with; `model` may name one that is served.
struct FireflyEndpoint {
  let service: Service

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body).checked(by: GenerateKeywords.table)
    guard let input = try parameters.text("inputs") else {
      throw APIError.invalid("\"inputs\" is missing.", "inputs")
    }
    let model = try parameters["model"] == nil ? service.models.base : service.model(parameters)
    var options = service.defaults
    try AnswerParameters.sampling(&options.sampling, parameters, temperatures: 0...100)
    if try parameters.flag("do_sample") == false { options.sampling.temperature = 0 }
    try beams(&options, parameters)
    tellIdle(parameters, options)
    options.seed = .random(in: 0 ... .max)
    try GenerateRules(parameters: parameters, shape: service.shape).read(into: &options)
    options.stopStrings += try parameters.texts("stop_strings", atMost: 64, longest: 1000)
    options.stopIDs.formUnion(try stopIDs(parameters))
    let prompt = try prompt(input, model, &options)
    try limit(&options, parameters, prompt)
    try service.check(prompt, options, "inputs")
    let request = GenerationRequest(prompt: prompt, options: options, place: "inputs", adapter: model.key)
    service.log(parameters.warnings)
    let sink = WholeAnswer(exchange, count: 1) { [service] results in
      var answer: [String: JSONValue] = ["input": .string(input), "output": .string(results[0].text)]
      service.history?.append(.object(answer))
      answer["warnings"] = parameters.warnings.json
      return .json(.object(answer))
    }
    try service.submit([request], sink, exchange)
  }

  /// max_new_tokens, or what max_length leaves behind the prompt; as with generate(), the first goes before the second.
  private func limit(
    _ options: inout GenerationOptions, _ parameters: Parameters, _ prompt: [Int32]
  ) throws {
    let limit = service.options.maxTokens
    if let count = try parameters.whole("max_new_tokens", in: 1...limit) {
      options.maxNewTokens = count
    } else if let length = try parameters.whole("max_length", in: 1...Int.max) {
      guard length > prompt.count else {
        throw APIError.invalid(
          "\"max_length\" \(length) leaves no room behind the prompt of \(prompt.count) tokens.", "max_length"
        )
      }
      options.maxNewTokens = min(length - prompt.count, limit)
    } else {
      options.capNewTokens(at: limit)
    }
  }

  /// eos_token_id: one more token, or several, that end an answer.
  private func stopIDs(_ parameters: Parameters) throws -> [Int32] {
    guard let value = parameters["eos_token_id"] else { return [] }
    let ids = (value.array ?? [value]).map { $0.int.flatMap { Int32(exactly: $0) } }
    guard let whole = ids as? [Int32],
      whole.allSatisfy({ (0..<service.shape.vocabularySize).contains(Int($0)) })
    else {
      throw parameters.wrong(
        "eos_token_id", "a token id below \(service.shape.vocabularySize), or a list of them", value)
    }
    return whole
  }

  /// A beam takes a row of a step, as an answer does.
  private func beams(_ options: inout GenerationOptions, _ parameters: Parameters) throws {
    options.numBeams = try parameters.whole("num_beams", in: 1...max(service.options.rows, 1)) ?? 1
    options.lengthPenalty =
      try parameters.number("length_penalty", in: GenerationOptions.lengthPenalties) ?? options.lengthPenalty
    if let value = parameters["early_stopping"] {
      guard let early = EarlyStopping(value) else {
        throw parameters.wrong("early_stopping", "true, false or \"never\"", value)
      }
      options.earlyStopping = early
    }
    if options.numBeams > 1 { try parameters.refuse("do_sample", unless: [.bool(false)]) }
  }

  /// Tells what is asked for in vain, of which generate() warns too.
  private func tellIdle(_ parameters: Parameters, _ options: GenerationOptions) {
    let isSearch = options.numBeams > 1
    var idle = isSearch ? [:] : GenerateKeywords.beamChoice
    if isSearch || parameters["do_sample"] == .bool(false) {
      idle.merge(GenerateKeywords.tokenChoice) { first, _ in first }
    }
    for (name, values) in idle.sorted(by: { $0.key < $1.key }) {
      guard let value = parameters[name], !values.contains(where: value.isSame) else { continue }
      let why =
        GenerateKeywords.beamChoice[name] != nil
        ? "it needs \"num_beams\" of at least 2."
        : isSearch ? "beams take the most likely answer." : "\"do_sample\" is false."
      parameters.warnings.add("\"\(parameters.given(name))\" has no effect here: \(why)")
    }
  }

  private func prompt(
    _ input: String, _ model: ServedModel, _ options: inout GenerationOptions
  ) throws -> [Int32] {
    let template = try service.template(of: model)
    do {
      options.stopIDs.formUnion(try template.stopIDs(service.tokenizer))
      return try template.promptTokens(
        history: [Message(role: "user", content: input)], tokenizer: service.tokenizer)
    } catch let error as FireflyError {
      throw APIError.invalid(error, "inputs")
    }
  }
}
