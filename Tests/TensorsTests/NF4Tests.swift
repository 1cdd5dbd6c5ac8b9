import FireflyBase
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

private let names = [
  "odd", "one_block", "zeros", "all_zero", "ties", "tiny", "straddling", "many_blocks", "half", "half_tiny",
]

@Suite struct NF4Tests {
  @Test func dynamicMapIsBitsandbytes() throws {
    #expect(try Fixture("nf4").tensor("map").floats == DynamicMap.signed.values)
  }

  @Test(arguments: names, InstructionSet.namesTested)
  func quantizeIsBitsandbytesBitForBit(name: String, isa: String) throws {
    let fixture = try Fixture("nf4")
    let x = try fixture.tensor("\(name).x")
    for kind in ["plain", "double"] {
      let weights = InstructionSet.with(isa) { NF4Tensor.quantize(x, double: kind == "double") }
      let expected = { (part: String) in bytes(try fixture.tensor("\(name).\(kind).\(part)")) }
      #expect(weights.originalDType == x.dtype && weights.shape == x.shape)
      #expect(bytes(weights.codes) == (try expected("codes")), "\(kind) codes")
      switch weights.scales {
      case .plain(let absmax):
        #expect(kind == "plain")
        #expect(bytes(absmax) == (try expected("absmax")), "absmax")
      case .nested(let codes, let absmax, let map, let offset):
        #expect(kind == "double")
        #expect(bytes(codes) == (try expected("absmax")), "absmax codes")
        #expect(bytes(absmax) == (try expected("nested_absmax")), "nested absmax")
        #expect(bytes(Tensor([offset], [1])) == (try expected("offset")), "offset")
        #expect(map.floats == DynamicMap.signed.values)
      }
    }
  }

  @Test(arguments: names, InstructionSet.namesTested)
  func decodeIsBitsandbytesBitForBit(name: String, isa: String) throws {
    let fixture = try Fixture("nf4")
    for kind in ["plain", "double"] {
      let expected = try fixture.tensor("\(name).\(kind).weights")
      let weights = try fixture.nf4(name, kind)
      let (out, inputs) = (weights.outputs, weights.inputs)
      // Float32 holds every rounded weight; the compute type is float32 or bfloat16.
      for dtype in expected.dtype == .bfloat16 ? [DType.bfloat16, .float32] : [.float32] {
        let found = Tensor(weights.shape, dtype)
        InstructionSet.with(isa) {
          Ops.decodeNF4(weights, rows: 0..<out, columns: 0..<inputs, into: found.matrix)
        }
        #expect(bytes(found) == bytes(expected.converted(to: dtype)), "\(kind) as \(dtype)")
      }
    }
  }

  /// Every range of rows and columns is the same part of the whole, and nothing else is written.
  @Test(arguments: InstructionSet.namesTested, [DType.float32, .bfloat16])
  func decodeTakesAnyRange(isa: String, dtype: DType) {
    for (outputs, inputs) in [(7, 33), (5, 200), (3, 1100)] {
      let weights = NF4Tensor.quantize(.normal([outputs, inputs], .bfloat16, seed: 3), double: true)
      let whole = Tensor([outputs, inputs], dtype)
      InstructionSet.with(isa) {
        Ops.decodeNF4(weights, rows: 0..<outputs, columns: 0..<inputs, into: whole.matrix)
        for (rows, columns) in [
          (1..<3, 0..<inputs), (0..<outputs, 1..<inputs - 1), (2..<3, 5..<6),
          (1..<outputs, 7..<min(inputs, 150)),
        ] {
          let margin = 3
          let room = Tensor.random([rows.count, columns.count + margin], dtype, seed: 9)
          let before = room.asFloats
          Ops.decodeNF4(
            weights, rows: rows, columns: columns, into: room.matrix.columns(0..<columns.count))
          let (found, all) = (room.asFloats, whole.asFloats)
          for r in 0..<rows.count {
            for c in 0..<columns.count + margin {
              let i = r * (columns.count + margin) + c
              let expected =
                c < columns.count ? all[(rows.lowerBound + r) * inputs + columns.lowerBound + c] : before[i]
              #expect(
                found[i] == expected, "[\(outputs), \(inputs)] rows \(rows) columns \(columns) at \(r), \(c)")
            }
          }
        }
      }
    }
  }
}

extension Fixture {
  /// The quantised matrix of a case, as bitsandbytes made it.
  fileprivate func nf4(_ name: String, _ kind: String) throws -> NF4Tensor {
    let x = try tensor("\(name).x")
    let absmax = try tensor("\(name).\(kind).absmax")
    let scales: NF4Tensor.Scales =
      kind == "plain"
      ? .plain(absmax: absmax)
      : .nested(
        codes: absmax, absmax: try tensor("\(name).double.nested_absmax"), map: try tensor("map"),
        offset: try tensor("\(name).double.offset").floats[0])
    return NF4Tensor(
      codes: try tensor("\(name).\(kind).codes"), shape: x.shape, scales: scales, originalDType: x.dtype)
  }
}
