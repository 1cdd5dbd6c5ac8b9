import FireflyBase
import Foundation

/// `GET /v1/models`.
struct ModelList {
  private let service: Service

  init(_ service: Service) { self.service = service }

  var json: JSONValue {
    .object([
      "object": .string("list"), "data": .array(service.models.names.map { entry($0.name, $0.model) }),
    ])
  }

  /// `GET /v1/models/NAME`.
  ///
  /// - Parameter name: as it stands in the path.
  func entry(_ name: String) throws -> JSONValue {
    let decoded = name.removingPercentEncoding ?? name
    guard let model = service.models[decoded] else {
      throw APIError.unknownModel(String(decoded.prefix(100)), known: service.models.names.map(\.name))
    }
    return entry(decoded, model)
  }

  /// - Parameter name: the model's own or an alias; `root` is the first.
  private func entry(_ name: String, _ model: ServedModel) -> JSONValue {
    .object([
      "id": .string(name), "root": .string(model.name), "object": .string("model"),
      "created": .int(service.started),
      "owned_by": .string("firefly"), "max_model_len": .int(service.shape.maxPositions),
      "parent": model.folder == nil ? .null : .string(service.models.base.name),
    ])
  }
}
