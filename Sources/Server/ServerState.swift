import FireflyBase
import FireflyGeneration
import FireflyText

/// What llama-server's clients ask of a server before they send it texts: `GET /props` and `/slots`.
struct ServerState {
  let service: Service

  var properties: JSONValue {
    .object([
      "default_generation_settings": .object([
        "n_ctx": .int(service.shape.maxPositions), "params": .object(settings),
      ]),
      "total_slots": .int(service.options.rows), "model_alias": .string(service.models.base.name),
      "chat_template": .string(service.tokenizer.chatTemplate ?? ""),
      "bos_token": .string(service.tokenizer.bosText ?? ""),
      "eos_token": .string(service.tokenizer.eosText ?? ""),
      "build_info": .string("firefly"), "is_sleeping": .bool(false),
      "modalities": .object(["vision": .bool(false), "audio": .bool(false)]),
    ])
  }

  /// The defaults of requests, by llama-server's names.
  private var settings: [String: JSONValue] {
    let defaults = service.defaults
    return [
      "temperature": .double(defaults.sampling.temperature), "top_k": .int(defaults.sampling.topK),
      "top_p": .double(defaults.sampling.topP), "min_p": .double(defaults.sampling.minP),
      "repeat_penalty": .double(defaults.sampling.repetitionPenalty),
      "n_predict": .int(service.options.maxTokens),
      "stop": .array(defaults.stopStrings.map(JSONValue.string)),
    ]
  }

  /// A place for each answer that can run; how many do is all that there is to say, whatever llama-server says more.
  func slots(running: Int) -> JSONValue {
    .array(
      (0..<service.options.rows).map { index in
        .object([
          "id": .int(index), "n_ctx": .int(service.shape.maxPositions),
          "is_processing": .bool(index < running),
        ])
      })
  }
}
