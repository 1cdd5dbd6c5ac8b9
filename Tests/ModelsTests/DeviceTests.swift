import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Testing

/// Nothing above the operations touches a tensor's memory, or depends on where it lies.
@Suite struct DeviceTests {
  /// In float32 every family; in bfloat16 on NF4 one of each kind of block.
  static let cases: [(String, DType, Quantization)] =
    (["gqa", "biased_tied", "gqa_nf4"] + ModelFixture.families).map { ($0, .float32, .none) }
    + ["gqa", "families/bloom", "families/minicpm3", "families/qwen2_moe"].map {
      ($0, .bfloat16, .nf4(double: true))
    }

  @Test(arguments: cases)
  func anotherDeviceTrainsAndAnswersBitForBit(_ name: String, _ compute: DType, _ quantization: Quantization)
    throws
  {
    let fixture = try ModelFixture(name)
    let expected = try DeviceOutcome(fixture, compute, quantization, on: CPU.shared)
    let found = try DeviceOutcome(fixture, compute, quantization, on: FencedDevice())
    #expect(found == expected)
    #expect(
      expected.losses.allSatisfy { $0.sum.isFinite }
        && expected.gradients.contains { $0.contains { $0 != 0 } })
  }

  /// The model's own weights, of every family; in bfloat16, gradients too.
  @Test(
    arguments: (["biased_tied"] + ModelFixture.families).map { ($0, DType.float32) }
      + ["families/bloom", "families/baichuan2_7b", "families/qwen2_moe"].map { ($0, .bfloat16) })
  func anotherDeviceTrainsAllWeightsBitForBit(_ name: String, _ type: DType) throws {
    let fixture = try ModelFixture(name)
    func outcome(on device: any Device) throws -> DeviceOutcome {
      try DeviceOutcome(trainingAllOf: fixture, type, on: device)
    }
    #expect(try outcome(on: FencedDevice()) == outcome(on: CPU.shared))
  }

  /// The same of models whose products read copies of the weights: the float32 values follow in the processor's memory.
  @Test(arguments: ["gqa", "biased_tied", "families/bloom", "families/minicpm3", "families/gemma3_text"])
  func valuesInTheProcessorsMemoryTrainBitForBit(_ name: String) throws {
    let fixture = try ModelFixture(name)
    func outcome(valuesOnHost: Bool, on device: any Device) throws -> DeviceOutcome {
      try DeviceOutcome(trainingAllOf: fixture, .bfloat16, valuesOnHost: valuesOnHost, on: device)
    }
    let apart = try outcome(valuesOnHost: true, on: FencedDevice())
    #expect(try apart == outcome(valuesOnHost: false, on: CPU.shared))
  }
}
