import FireflyBase
import FireflyTensors
import Foundation

/// A safetensors file's tensors by name, read without the Weights target, which stands above.
struct Fixture {
  private let data: Data
  private let header: [String: JSONValue]
  private let path: String
  /// Where the tensors' bytes begin.
  private let start: Int

  /// A file of Tests/TensorsTests/Fixtures, made by tools/reference/tensors_fixtures.py.
  init(_ name: String) throws {
    path =
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).safetensors")
      .path
    data = try Data(contentsOf: URL(filePath: path))
    let length = data[..<8].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    header = try JSONValue.parse(Data(data[8..<8 + length]), source: path).object ?? [:]
    start = 8 + length
  }

  func tensor(_ name: String) throws -> Tensor {
    let types: [String: DType] = ["F32": .float32, "BF16": .bfloat16, "F16": .float16, "U8": .uint8]
    guard let entry = header[name], let dtype = entry["dtype"]?.string.flatMap({ types[$0] }),
      let shape = entry["shape"]?.array?.compactMap(\.int),
      let offsets = entry["data_offsets"]?.array?.compactMap(\.int)
    else { throw FireflyError("no tensor \(name)", at: path) }
    let tensor = Tensor(shape, dtype)
    tensor.copyBytes([UInt8](data[start + offsets[0]..<start + offsets[1]]))
    return tensor
  }
}
