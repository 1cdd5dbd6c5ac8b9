import FireflyBase
import FireflyTensors

/// What `quant_state.bitsandbytes__nf4` says, checked.
struct QuantState: Equatable {
  /// The matrix's shape, [out, in].
  var shape: [Int]
  /// What the weights were, and are rounded to when decoded.
  var dtype: DType
  /// The mean that was taken off the scales before they were quantised; nil without double quantization.
  var nestedOffset: Float?

  var elements: Int { shape.reduce(1, *) }
  var blocks: Int { NF4Tensor.blocks(of: elements) }
  var nestedBlocks: Int { NF4Tensor.nestedBlocks(of: blocks) }

  init(shape: [Int], dtype: DType, nestedOffset: Float?) {
    self.shape = shape
    self.dtype = dtype
    self.nestedOffset = nestedOffset
  }

  /// - Parameter place: file and tensor, for messages.
  init(_ json: JSONValue, at place: String) throws {
    func require(_ key: String, _ holds: (JSONValue) -> Bool, expected: String) throws {
      let value = json[key] ?? .null
      guard holds(value) else {
        throw FireflyError(
          "\(key) of the 4-bit tensor is wrong", at: place, expected: expected, found: value.text())
      }
    }
    try require("quant_type", { $0.string == "nf4" }, expected: "nf4")
    try require("blocksize", { $0.int == NF4.blockSize }, expected: "\(NF4.blockSize)")
    let dtypes: [String: DType] = ["bfloat16": .bfloat16, "float16": .float16, "float32": .float32]
    try require("dtype", { dtypes[$0.string ?? ""] != nil }, expected: "bfloat16, float16 or float32")
    dtype = dtypes[json["dtype"]?.string ?? ""] ?? .bfloat16
    shape = json["shape"]?.array?.compactMap(\.int) ?? []
    let isPossible = shape.count == 2 && StoredType.uint8.byteCount(of: shape) != nil
    try require("shape", { $0.array?.count == 2 && isPossible }, expected: "[out, in]")
    guard json["nested_blocksize"] != nil || json["nested_offset"] != nil else { return }
    try require(
      "nested_blocksize", { $0.int == NF4.nestedBlockSize }, expected: "\(NF4.nestedBlockSize)")
    try require("nested_dtype", { $0.string == "float32" }, expected: "float32")
    try require(
      "nested_offset", { $0.double.map { Float($0).isFinite } ?? false }, expected: "a finite number")
    nestedOffset = json["nested_offset"]?.double.map { Float($0) }
  }

  /// The state as bitsandbytes writes it.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "quant_type": .string("nf4"), "blocksize": .int(NF4.blockSize),
      "dtype": .string(dtype.description), "shape": .array(shape.map { .int($0) }),
    ]
    if let nestedOffset {
      members["nested_blocksize"] = .int(NF4.nestedBlockSize)
      members["nested_dtype"] = .string("float32")
      members["nested_offset"] = .double(Double(nestedOffset))
    }
    return .object(members)
  }
}
