import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation

/// `POST /v1/embeddings`: each text as the direction of its tokens' last hidden states, a vector of length 1.
struct EmbeddingEndpoint {
  let service: Service

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body).checked(
      by: ParameterTables.embeddings)
    let model = try service.model(parameters)
    let size = service.shape.hiddenSize
    let dimensions = try parameters.whole("dimensions", in: 1...size) ?? size
    let isPacked = try isPacked(parameters)
    var options = GenerationOptions(sampling: .greedy, maxNewTokens: 0)
    options.pooling = service.options.pooling
    let longest = service.shape.maxPositions
    let prompts = try PromptReader(service: service, parameter: "input", longest: longest).read(parameters) {
      count in
      guard count <= service.options.answersPerRequest else {
        throw APIError.invalid(
          "The request has \(count) inputs; at most \(service.options.answersPerRequest) are allowed.",
          "input")
      }
    }
    for prompt in prompts { try service.check(prompt.ids, options, "input") }
    let requests = prompts.map {
      GenerationRequest(prompt: $0.ids, options: options, place: "input", adapter: model.key)
    }
    let tokens = prompts.reduce(0) { $0 + $1.ids.count }
    let sink = WholeAnswer(exchange, count: requests.count) { results in
      let data = results.enumerated().map { index, result in
        let vector = EmbeddingEndpoint.unit(result.embedding.prefix(dimensions))
        return JSONValue.object([
          "object": .string("embedding"), "index": .int(index),
          "embedding": isPacked
            ? .string(EmbeddingEndpoint.packed(vector)) : .array(vector.map { .double(Double($0)) }),
        ])
      }
      return .json(
        .object([
          "object": .string("list"), "data": .array(data), "model": .string(model.name),
          "usage": .object(["prompt_tokens": .int(tokens), "total_tokens": .int(tokens)]),
        ]))
    }
    try service.submit(requests, sink, exchange)
  }

  private func isPacked(_ parameters: Parameters) throws -> Bool {
    switch try parameters.text("encoding_format") {
    case nil, "float": return false
    case "base64": return true
    case .some(let other):
      throw APIError.invalid(
        "\"encoding_format\" must be \"float\" or \"base64\", not \"\(other.prefix(40))\".", "encoding_format"
      )
    }
  }

  /// The vector divided by its length; zeros stay zeros.
  static func unit(_ vector: ArraySlice<Float>) -> [Float] {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return length > 0 ? vector.map { Float(Double($0) / length) } : Array(vector)
  }

  /// Float32, little-endian, in base64.
  static func packed(_ vector: [Float]) -> String {
    var bytes = Data(capacity: 4 * vector.count)
    for value in vector {
      let bits = value.bitPattern
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    return bytes.base64EncodedString()
  }
}
