import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// gpt-oss's experts, which lie in one tensor a layer.
@Suite struct StackedExpertsTests {
  private let folder: TemporaryFolder
  private static let prefix = "model.layers.0.mlp.experts."

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(
      #"{"model_type": "gpt_oss", "quantization_config": {"quant_method": "mxfp4"}}"#, to: "config.json")
  }

  private func open(_ tensors: [(String, Tensor)]) throws -> ModelSource {
    try SafeTensorsWriter.write(
      tensors.map { (Self.prefix + $0.0, $0.1) }, to: folder.path + "/model.safetensors")
    return try ModelSource.open(folder.path)
  }

  /// Bytes as transformers writes them, and the numbers that it reads from them; both ways of reading give these.
  @Test func mxfp4IsTransformers() throws {
    let fixture = try WeightStore.open(Fixtures.folder + "/mxfp4.safetensors")
    let source = try open([
      ("gate_up_proj_blocks", try fixture.tensor("blocks", shape: [2, 6, 2, 16], as: .uint8)),
      ("gate_up_proj_scales", try fixture.tensor("scales", shape: [2, 6, 2], as: .uint8)),
    ])
    #expect(!source.isQuantized && source.weights.blockFormats == ["MXFP4"])
    let values = try fixture.tensor("values", shape: [2, 64, 6], as: .float32).floats
    for expert in 0..<2 {
      for (turn, linear) in ["gate_proj", "up_proj"].enumerated() {
        let name = "\(Self.prefix)\(expert).\(linear).weight"
        let expected = (0..<3).flatMap { row in
          (0..<64).map { values[(expert * 64 + $0) * 6 + 2 * row + turn] }
        }
        let found = try source.weights.tensor(name, shape: [3, 64], as: .float32)
        assertClose(found.floats, expected, .exact, name)
        let blocks = try #require(try source.weights.blocks(name, shape: [3, 64]))
        let decoded = Tensor([3, 64], .float32)
        Ops.decodeBlocks(blocks, rows: 0..<3, columns: 0..<64, into: decoded.matrix)
        assertClose(decoded.floats, expected, .exact, "blocks of \(name)")
        #expect(
          source.weights.names(holding: name)
            == ["gate_up_proj_blocks", "gate_up_proj_scales"].map { Self.prefix + $0 })
      }
    }
    #expect(source.weights.tensorNames.count == 2)
    #expect(source.weights.namesOfParts.count == 4)
  }

  /// Element [i, c, 2f] is gate's [f, c], [i, c, 2f + 1] up's; each number tells where it stands.
  @Test func matricesAreTransposedAndTakeTurns() throws {
    let (experts, inputs, size) = (2, 5, 3)
    let gateUp = (0..<experts * inputs * 2 * size).map(Float.init)
    let source = try open([
      ("gate_up_proj", Tensor(gateUp, [experts, inputs, 2 * size])),
      ("gate_up_proj_bias", Tensor((0..<experts * 2 * size).map(Float.init), [experts, 2 * size])),
      ("down_proj", Tensor((0..<experts * size * inputs).map(Float.init), [experts, size, inputs])),
      ("down_proj_bias", Tensor((0..<experts * inputs).map(Float.init), [experts, inputs])),
    ])
    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      try source.weights.tensor(Self.prefix + name, shape: shape, as: .float32).floats
    }
    let up = (0..<3).flatMap { row -> [Float] in (0..<5).map { Float(31 + $0 * 6 + 2 * row) } }
    #expect(try values("1.up_proj.weight", [3, 5]) == up)
    #expect(try values("1.gate_proj.bias", [3]) == [6, 8, 10])
    let down = (0..<5).flatMap { row -> [Float] in (0..<3).map { Float($0 * 5 + row) } }
    #expect(try values("0.down_proj.weight", [5, 3]) == down)
    #expect(try values("1.down_proj.bias", [5]) == [5, 6, 7, 8, 9])

    // Put back, they are the tensor again.
    let whole = Tensor.zeros([experts, inputs, 2 * size], .float32)
    let parts = source.weights.parts(in: Self.prefix + "gate_up_proj")
    #expect(parts.count == 4)
    for part in parts {
      part.put(try source.weights.tensor(part.name, shape: [size, inputs], as: .float32), into: whole)
    }
    #expect(whole.floats == gateUp)
  }

  @Test func partsThatDoNotFitAreRefused() throws {
    let blocks = Tensor.zeros([2, 6, 2, 16], .uint8)
    for others in [[], [("gate_up_proj_scales", Tensor.zeros([2, 6, 3], .uint8))]] {
      let error = #expect(throws: FireflyError.self) { try open([("gate_up_proj_blocks", blocks)] + others) }
      #expect(error?.description.contains("gate_up_proj_scales") == true)
    }
    let error = #expect(throws: FireflyError.self) {
      try open([("gate_up_proj", Tensor.zeros([2, 5, 7], .float32))])
    }
    #expect(error?.found == "[2, 5, 7]")
  }
}
