import FireflyBase

/// `GET /v1/models`.
struct ModelList {
  private let service: Service

  init(_ service: Service) { self.service = service }

  var json: JSONValue {
    let base = service.models[0].name
    let entries = service.models.enumerated().map { index, model in
      JSONValue.object([
        "id": .string(model.name), "object": .string("model"), "created": .int(service.started),
        "owned_by": .string("firefly"), "max_model_len": .int(service.shape.maxPositions),
        "parent": index == 0 ? .null : .string(base),
      ])
    }
    return .object(["object": .string("list"), "data": .array(entries)])
  }
}
