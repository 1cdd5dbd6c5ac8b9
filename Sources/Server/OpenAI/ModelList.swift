import FireflyBase
import Foundation

/// `GET /v1/models`.
struct ModelList {
  private let service: Service

  init(_ service: Service) { self.service = service }

  var json: JSONValue {
    .object(["object": .string("list"), "data": .array(service.models.indices.map(entry))])
  }

  /// `GET /v1/models/NAME`.
  ///
  /// - Parameter name: as it stands in the path.
  func entry(_ name: String) throws -> JSONValue {
    let decoded = name.removingPercentEncoding ?? name
    guard let index = service.models.firstIndex(where: { $0.name == decoded }) else {
      throw APIError.unknownModel(String(decoded.prefix(100)), known: service.models.map(\.name))
    }
    return entry(index)
  }

  private func entry(_ index: Int) -> JSONValue {
    .object([
      "id": .string(service.models[index].name), "object": .string("model"), "created": .int(service.started),
      "owned_by": .string("firefly"), "max_model_len": .int(service.shape.maxPositions),
      "parent": index == 0 ? .null : .string(service.models[0].name),
    ])
  }
}
