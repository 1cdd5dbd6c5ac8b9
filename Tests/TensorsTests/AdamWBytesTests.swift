import FireflyTensors
import FireflyTestSupport
import Testing

/// AdamW with moments in 8 bits.
@Suite struct AdamWBytesTests {
  private static func moment(_ count: Int, _ map: DynamicMap) -> ByteMoment {
    ByteMoment(
      codes: .zeros([count], .uint8), absmax: .zeros([ByteMoment.blocks(of: count)], .float32), map: map)
  }

  @Test func theUnsignedMapIsBitsandbytes() throws {
    #expect(try Fixture("adamw_8bit").tensor("unsigned_map").floats == DynamicMap.unsigned.values)
  }

  /// Four steps of bitsandbytes' AdamW8bit: codes and scales of both moments bit for bit. torch's square root is up to a
  /// unit off, and so are the values.
  @Test(arguments: InstructionSet.namesTested) func momentsAreBitsandbytes(isa: String) throws {
    let fixture = try Fixture("adamw_8bit")
    let value = try fixture.tensor("start")
    let gradients = try fixture.tensor("gradients")
    let (m, v) = (Self.moment(value.count, .signed), Self.moment(value.count, .unsigned))
    for step in 0..<4 {
      let gradient = Tensor(gradients.slice(step..<step + 1).floats.map { $0 * 4 }, [value.count])
      InstructionSet.with(isa) {
        Ops.adamW(
          value: value, gradient: gradient, m: m, v: v, learningRate: 2e-3, beta1: 0.9, beta2: 0.999,
          epsilon: 1e-8, weightDecay: 0.1, step: step + 1, gradientScale: 0.25)
      }
      for (name, own) in [
        ("m", m.codes), ("m.absmax", m.absmax), ("v", v.codes), ("v.absmax", v.absmax),
      ] {
        #expect(
          bytes(own) == bytes(try fixture.tensor("\(step).\(name)")), "\(name) after step \(step)")
      }
      assertClose(value, try fixture.tensor("\(step).value"), .ulps(2, absolute: 1e-9), "values")
    }
  }

  /// A part from the beginning of a block is moved as it is in the whole.
  @Test func partsAreTheWhole() {
    let count = 3 * ByteMoment.blockSize + 5
    let gradient = Tensor.normal([count], seed: 1)
    let whole = (
      Tensor.normal([count], seed: 2), Self.moment(count, .signed), Self.moment(count, .unsigned)
    )
    let parts = (
      Tensor.normal([count], seed: 2), Self.moment(count, .signed), Self.moment(count, .unsigned)
    )
    for (x, ranges) in [(whole, [0..<count]), (parts, [0..<512, 512..<count])] {
      for step in 1...3 {
        for range in ranges {
          Ops.adamW(
            value: x.0.slice(range), gradient: gradient.slice(range), m: x.1.slice(range),
            v: x.2.slice(range), learningRate: 1e-2, beta1: 0.9, beta2: 0.99, epsilon: 1e-8,
            weightDecay: 0, step: step)
        }
      }
    }
    #expect(whole.0.floats == parts.0.floats)
    #expect(whole.1.floats == parts.1.floats && whole.2.floats == parts.2.floats)
  }
}
