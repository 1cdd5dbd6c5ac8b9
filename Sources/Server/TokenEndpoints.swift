import FireflyBase
import FireflyText

/// What a text is in tokens, for clients of llama-server and of vllm: `POST /tokenize`, `/detokenize` and
/// `/apply-template`.
struct TokenEndpoints {
  let service: Service

  /// `content` (llama-server) or `prompt` (vllm) is a text, `messages` a chat.
  func tokenize(_ exchange: HTTPExchange) throws {
    let parameters = try read(exchange, ParameterTables.tokenize)
    let ids = try tokens(parameters)
    var members: [String: JSONValue] = [
      "tokens": .array(ids.map { .int(Int($0)) }), "count": .int(ids.count),
      "max_model_len": .int(service.shape.maxPositions),
    ]
    let texts = ids.map { JSONValue.string(service.spelling.text(of: $0)) }
    if try parameters.flag("with_pieces") == true {
      members["tokens"] = .array(
        zip(ids, texts).map { .object(["id": .int(Int($0)), "piece": $1]) })
    }
    if try parameters.flag("return_token_strs") == true { members["token_strs"] = .array(texts) }
    members["warnings"] = parameters.warnings.json
    exchange.respond(.json(.object(members)))
  }

  private func tokens(_ parameters: Parameters) throws -> [Int32] {
    let parsesSpecial = try parameters.flag("parse_special") ?? true
    let addsSpecial = try parameters.flag("add_special")
    guard let text = try parameters.text("content") else { return try chat(parameters) }
    guard parameters["messages"] == nil else {
      throw APIError.invalid(
        "\"messages\" and \"\(parameters.given("content"))\" are two prompts; give one.", "messages")
    }
    do {
      // vllm adds what stands before a text unless it is told not to; llama-server, if it is told to.
      let adds = addsSpecial ?? (parameters.given("content") == "prompt")
      return (adds ? service.tokenizer.textStart : [])
        + (try service.tokenizer.encode(text, parseSpecial: parsesSpecial))
    } catch let error as FireflyError {
      throw APIError.invalid(error, parameters.given("content"))
    }
  }

  /// `tokens`: their text, special tokens as they are spelt.
  func detokenize(_ exchange: HTTPExchange) throws {
    let parameters = try read(exchange, ParameterTables.detokenize)
    guard parameters["tokens"] != nil else { throw APIError.invalid("\"tokens\" is missing.", "tokens") }
    let ids = try parameters.tokens("tokens", below: service.shape.vocabularySize)
    let text = JSONValue.string(service.tokenizer.decode(ids, skipSpecial: false))
    exchange.respond(.json(.object(["content": text, "prompt": text])))
  }

  /// `messages`: the prompt that the template makes of them.
  func applyTemplate(_ exchange: HTTPExchange) throws {
    let parameters = try read(exchange, ParameterTables.applyTemplate)
    let text = service.tokenizer.decode(try chat(parameters), skipSpecial: false)
    var members: [String: JSONValue] = ["prompt": .string(text)]
    members["warnings"] = parameters.warnings.json
    exchange.respond(.json(.object(members)))
  }

  private func read(_ exchange: HTTPExchange, _ table: ParameterTable) throws -> Parameters {
    try Parameters(body: exchange.takeRequest().body).checked(by: table)
  }

  private func chat(_ parameters: Parameters) throws -> [Int32] {
    try ChatRequest(parameters, service).prompt(service)
  }
}
