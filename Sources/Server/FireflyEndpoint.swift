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

  private static let known: Set<String> = [
    "inputs", "model", "max_new_tokens", "do_sample", "temperature", "top_p", "top_k", "min_p",
    "repetition_penalty", "num_beams", "length_penalty", "early_stopping", "num_return_sequences",
  ]

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body)
    try parameters.refuseOthers(than: FireflyEndpoint.known)
    try parameters.refuse("num_return_sequences", unless: [.int(1)])
    guard let input = try parameters.text("inputs") else {
      throw APIError.invalid("\"inputs\" is missing.", "inputs")
    }
    let model = try parameters["model"] == nil ? service.models[0] : service.model(parameters)
    var options = service.defaults
    try AnswerParameters.sampling(&options.sampling, parameters, temperatures: 0...100)
    if try parameters.flag("do_sample") == false { options.sampling.temperature = 0 }
    try beams(&options, parameters)
    options.seed = .random(in: 0 ... .max)
    options.maxNewTokens =
      try parameters.whole("max_new_tokens", in: 1...service.options.maxTokens)
      ?? min(options.maxNewTokens, service.options.maxTokens)
    let prompt = try prompt(input, model, &options)
    try service.check(prompt, options, "inputs")
    let request = GenerationRequest(prompt: prompt, options: options, place: "inputs", adapter: model.name)
    let sink = WholeAnswer(exchange, count: 1) { [service] results in
      let answer = JSONValue.object(["input": .string(input), "output": .string(results[0].text)])
      service.history?.append(answer)
      return .json(answer)
    }
    try service.submit([request], sink, exchange)
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

  private func prompt(
    _ input: String, _ model: ServedModel, _ options: inout GenerationOptions
  ) throws -> [Int32] {
    guard let template = model.template else {
      throw APIError.invalid(
        "Nothing tells the chat template of \"\(model.name)\"; start the server with --template.", "inputs")
    }
    do {
      options.stopIDs.formUnion(try template.stopIDs(service.tokenizer))
      return try template.promptTokens(
        history: [Message(role: "user", content: input)], tokenizer: service.tokenizer)
    } catch let error as FireflyError {
      throw APIError.invalid(error, "inputs")
    }
  }
}
