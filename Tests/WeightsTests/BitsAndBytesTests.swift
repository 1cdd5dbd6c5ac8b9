import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// 4-bit tensors as bitsandbytes saves them. Fixtures: nf4.safetensors, as it saved them, and nf4_expected.safetensors,
/// what it decodes them to.
@Suite struct BitsAndBytesTests {
  static let shapes = ["double": [20, 960], "plain": [6, 50]]
  static let dtypes: [String: DType] = ["double": .bfloat16, "plain": .float16]

  @Test(arguments: ["double", "plain"]) func decodesAsBitsandbytes(_ name: String) throws {
    let shape = try #require(Self.shapes[name])
    let store = try WeightStore.open(Fixtures.folder + "/nf4.safetensors")
    let expected = try WeightStore.open(Fixtures.folder + "/nf4_expected.safetensors")
    let packed = try #require(try store.nf4("\(name).weight", shape: shape))
    #expect(packed.isDouble == (name == "double"))
    #expect(packed.originalDType == Self.dtypes[name])
    let values = try store.tensor("\(name).weight", shape: shape, as: .float32)
    #expect(try values.floats == expected.tensor("\(name).weight", shape: shape, as: .float32).floats)
  }

  /// `bnb_4bit_quant_storage`: the same bytes as numbers of another type.
  @Test(arguments: ["uint8", "bfloat16", "float32"]) func readsCodesInAnyStorage(_ storage: String) throws {
    let store = try WeightStore.open(Fixtures.folder + "/nf4_storage.safetensors")
    let values = try store.tensor("\(storage).weight", shape: [24, 64], as: .float32).floats
    #expect(values == (try store.tensor("\(storage).expected", shape: [24, 64], as: .float32).floats))
    #expect(values == (try store.tensor("uint8.expected", shape: [24, 64], as: .float32).floats))
  }

  /// Every key that transformers' BitsAndBytesConfig knows (tools/reference/known_keys.py), and one that it does not.
  @Test func noKeyOfTheQuantizationPassesUnseen() throws {
    let file = try JSONValue.read(Fixtures.folder + "/keys/quantization_config.json")
    let known = try #require(file["keys"]?.object)
    func notes(_ changes: [String: JSONValue]) throws -> [String] {
      let folder = try TemporaryFolder()
      let config = JSONValue.object(["quantization_config": .object(known.merging(changes) { $1 })])
      try folder.write(config.text(), to: "config.json")
      try SafeTensorsWriter.write([("x", Tensor([1], [1]))], to: folder.path + "/model.safetensors")
      return try ModelSource.open(folder.path).notes
    }
    #expect(try notes([:]).isEmpty)
    #expect(try notes(["new_key": .bool(true)]).first?.contains("new_key") == true)
    for (key, value) in ["quant_method": "gptq", "bnb_4bit_quant_type": "fp4"] {
      #expect(
        thrownError { _ = try notes([key: .string(value)]) }?.place?.contains("quantization_config") == true)
    }
    for (key, value) in ["load_in_4bit": false, "load_in_8bit": true] {
      #expect(
        thrownError { _ = try notes([key: .bool(value)]) }?.place?.contains("quantization_config") == true)
    }
  }

  @Test(arguments: ["double", "plain"]) func quantisesAndWritesAsBitsandbytes(_ name: String) throws {
    let shape = try #require(Self.shapes[name])
    let dtype = try #require(Self.dtypes[name])
    let original = try WeightStore.open(Fixtures.folder + "/nf4_expected.safetensors")
      .tensor("\(name).original", shape: shape, as: dtype)
    let written = BitsAndBytes.tensors(
      "\(name).weight", NF4Tensor.quantize(original, double: name == "double"))
    let saved = try WeightStore.open(Fixtures.folder + "/nf4.safetensors")
    #expect(written.map(\.name).sorted() == saved.names.filter { $0.hasPrefix(name) })
    try expectSaved(written, saved)
  }

  @Test func plainTensorsAreNotPacked() throws {
    let store = try WeightStore.open(Fixtures.folder + "/nf4_expected.safetensors")
    #expect(try store.nf4("double.weight", shape: [20, 960]) == nil)
    #expect(
      thrownError { _ = try store.nf4("double.wait", shape: [20, 960]) }?.fix?.contains("double.weight")
        == true)
  }

  // MARK: - Damage

  /// The parts of `X.weight` [4, 48] with double quantization.
  private static func parts() -> [String: Tensor] {
    let weight = Tensor((0..<192).map { Float($0 % 7) - 3 }, [4, 48])
    let parts = BitsAndBytes.tensors("X.weight", NF4Tensor.quantize(weight, double: true))
    return Dictionary(uniqueKeysWithValues: parts.map { ($0.name, $0.tensor) })
  }

  private func refusal(_ parts: [String: Tensor]) throws -> String {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    try SafeTensorsWriter.write(parts.map { ($0.key, $0.value) }, to: path)
    let store = try WeightStore.open(path)
    return thrownError { _ = try store.tensor("X.weight", shape: [4, 48], as: .float32) }?.description ?? ""
  }

  static let state = "X.weight.quant_state.bitsandbytes__nf4"

  @Test(
    arguments: [
      ("quant_type", JSONValue.string("fp4")), ("quant_type", .null), ("blocksize", .int(128)),
      ("blocksize", .string("64")), ("dtype", .string("int8")), ("dtype", .null),
      ("shape", .array([.int(192)])),
      ("shape", .array([.int(-4), .int(-48)])), ("shape", .array([.int(1 << 40), .int(1 << 40)])),
      ("shape", .array([.int(4), .string("48")])), ("nested_blocksize", .int(64)),
      ("nested_dtype", .string("float16")), ("nested_offset", .null), ("nested_offset", .double(1e300)),
    ] as [(String, JSONValue)])
  func refusesState(_ key: String, _ value: JSONValue) throws {
    var parts = Self.parts()
    let original = try #require(parts[Self.state])
    var members = try #require(try JSONValue.parse(Data(bytes(original)), source: "state").object)
    members[key] = value
    parts[Self.state] = text(JSONValue.object(members).text())
    let message = try refusal(parts)
    #expect(message.contains("X.weight") && message.contains(key), "\(message)")
  }

  @Test func refusesAnotherShapeThanAsked() throws {
    var parts = Self.parts()
    let original = try #require(parts[Self.state])
    let json = String(decoding: bytes(original), as: UTF8.self)
    parts[Self.state] = text(json.replacingOccurrences(of: "[4, 48]", with: "[48, 4]"))
    #expect(try refusal(parts).contains("expected [4, 48], found [48, 4]"))
  }

  @Test(arguments: ["", "absmax", "nested_absmax", "nested_quant_map", "quant_map"])
  func refusesAWrongPart(_ part: String) throws {
    let name = part.isEmpty ? "X.weight" : "X.weight.\(part)"
    var parts = Self.parts()
    parts[name] = Tensor.zeros([5], .uint8)
    #expect(try refusal(parts).contains(name))
    if !part.isEmpty {
      parts[name] = nil
      #expect(try refusal(parts).contains("\(name) is missing"))
    }
  }

  @Test func whatIsNotFiniteIsNotQuantised() throws {
    for (value, word) in [(Float.nan, "not finite"), (-.infinity, "not finite"), (3e38, "too large")] {
      let matrix = Tensor([Float](repeating: value, count: 4 * 64), [4, 64])
      let error = thrownError {
        _ = try BitsAndBytes.quantize(matrix, double: true, at: "a.safetensors: X.weight")
      }
      #expect(error?.description.contains(word) == true && error?.place == "a.safetensors: X.weight")
    }
  }

  @Test func refusesOtherCodesAndScales() throws {
    var parts = Self.parts()
    parts["X.weight.quant_map"] = Tensor(NF4.codeBook.reversed(), [16])
    #expect(try refusal(parts).contains("code book"))
    parts = Self.parts()
    parts["X.weight.nested_absmax"] = Tensor([.nan], [1])
    #expect(try refusal(parts).contains("not finite"))
    parts = Self.parts()
    parts[Self.state] = text("{")
    #expect(try refusal(parts).contains("not valid JSON"))
    parts[Self.state] = nil
    #expect(try refusal(parts).contains("not supported"))
    parts = ["X.weight": Tensor.zeros([4, 48], .uint8), "X.SCB": Tensor([1, 1, 1, 1], [4])]
    #expect(try refusal(parts).contains("X.SCB"))
  }

  private func text(_ string: String) -> Tensor {
    Tensor(bytes: Array(string.utf8), [string.utf8.count])
  }

  // MARK: - A folder that transformers wrote

  /// Every file's tensor in its own right: the packed ones equal what we make of the original, byte for byte.
  @Test func folderEqualsItsOriginalQuantised() throws {
    let original = try ModelSource.open(Fixtures.folder + "/llama").weights
    let quantised = try ModelSource.open(Fixtures.folder + "/llama_nf4")
    #expect(original.names.count == 12)
    var packed = 0
    for name in original.names {
      let shape = try #require(original.info(name)?.shape)
      let weight = try original.tensor(name, shape: shape, as: .bfloat16)
      if let saved = try quantised.weights.nf4(name, shape: shape) {
        let again = NF4Tensor.quantize(weight, double: true)
        try expectSaved(BitsAndBytes.tensors(name, again), quantised.weights)
        for (read, made) in zip(BitsAndBytes.tensors(name, saved), BitsAndBytes.tensors(name, again)) {
          expectBytes(read.tensor, bytes(made.tensor), read.name)
        }
        packed += 1
      } else {
        expectBytes(weight, bytes(try quantised.weights.tensor(name, shape: shape, as: .bfloat16)), name)
      }
    }
    #expect(packed == 7)
    #expect(
      quantised.config["quantization_config"]
        == BitsAndBytes.quantizationConfig(double: true, compute: .bfloat16))
  }

  /// The tensors are those of the file; the quantisation's state, a text, has the same meaning.
  private func expectSaved(_ written: [(name: String, tensor: Tensor)], _ saved: WeightStore) throws {
    for (part, tensor) in written {
      let shape = try #require(saved.info(part)?.shape)
      let expected = try saved.tensor(part, shape: shape, as: tensor.dtype)
      if part.contains("quant_state") {
        #expect(
          try JSONValue.parse(Data(bytes(tensor)), source: part)
            == JSONValue.parse(Data(bytes(expected)), source: part))
      } else {
        #expect(tensor.shape == shape, "\(part)")
        expectBytes(tensor, bytes(expected), part)
      }
    }
  }
}
