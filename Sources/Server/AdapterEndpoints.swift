import FireflyBase
import Foundation

/// Adapters that come and go while the server runs, as vllm and llama-server have them.
struct AdapterEndpoints {
  let service: Service

  /// `POST /v1/load_lora_adapter`: `lora_name` is served from the folder `lora_path` on.
  func load(_ exchange: HTTPExchange) throws {
    let loader = try loader(exchange)
    let parameters = try read(exchange, ParameterTables.loadAdapter)
    let name = try text("lora_name", parameters)
    let path = try text("lora_path", parameters)
    try service.models.checkFree(name)
    let notes = try service.perform {
      // Looked at again where no other adapter can come in between.
      try service.models.checkFree(name)
      let loaded = try loader.load(name, from: path, key: service.newKey(name))
      try service.models.add(loaded.model)
      return loaded.notes
    }
    respond(
      exchange, (["Success: LoRA adapter '\(name)' added successfully."] + notes).joined(separator: "\n"))
  }

  /// `POST /v1/unload_lora_adapter`: new requests cannot name it; those that have begun end with it.
  func unload(_ exchange: HTTPExchange) throws {
    let loader = try loader(exchange)
    let parameters = try read(exchange, ParameterTables.unloadAdapter)
    let name = try text("lora_name", parameters)
    let model = try service.models.removeAdapter(name)
    try service.retire(model.key) { loader.forget(model.key) }
    respond(exchange, "Success: LoRA adapter '\(name)' removed successfully.")
  }

  /// `GET /lora-adapters`, llama-server's list. An adapter is asked for by its name, and then counts whole.
  var list: JSONValue {
    .array(
      service.models.all.dropFirst().enumerated().map { index, model in
        .object([
          "id": .int(index), "name": .string(model.name), "path": .string(model.folder ?? ""),
          "scale": .int(1),
        ])
      })
  }

  private func loader(_ exchange: HTTPExchange) throws -> AdapterLoader {
    guard let loader = service.adapterLoader else {
      throw OtherPaths.refusal(
        exchange.head.path,
        "Adapters are named when the server starts, unless it is started with --adapter-loading.")
    }
    return loader
  }

  private func read(_ exchange: HTTPExchange, _ table: ParameterTable) throws -> Parameters {
    try Parameters(body: exchange.takeRequest().body).checked(by: table)
  }

  private func text(_ name: String, _ parameters: Parameters) throws -> String {
    guard let text = try parameters.text(name) else {
      throw APIError.invalid("\"\(name)\" is missing.", name)
    }
    guard (1...1000).contains(text.utf8.count) else {
      throw APIError.invalid("\"\(name)\" must have from 1 to 1000 bytes, not \(text.utf8.count).", name)
    }
    return text
  }

  private func respond(_ exchange: HTTPExchange, _ text: String) {
    exchange.respond(HTTPResponse(status: 200, contentType: "text/plain; charset=utf-8", body: text))
  }
}
