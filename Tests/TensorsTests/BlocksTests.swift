import FireflyTensors
import FireflyTestSupport
import Testing

@Suite struct BlocksTests {
  /// Against the `gguf` package, bit for bit.
  @Test(arguments: BlockFormat.allCases)
  func decodeIsGGUF(format: BlockFormat) throws {
    let fixture = try Fixture("blocks")
    let name = "\(format)".uppercased()
    let bytes = try fixture.tensor("\(name).bytes")
    let expected = try fixture.tensor("\(name).values")
    #expect(bytes.count == 3 * format.bytes && expected.count == 3 * format.elements)
    let found = Tensor([3, format.elements], .float32)
    format.decode(bytes, into: found)
    assertClose(found.floats, expected.floats, .exact, name)
    let rounded = Tensor([3 * format.elements], .bfloat16)
    format.decode(bytes, into: rounded)
    assertClose(rounded, expected.converted(to: .bfloat16), .exact, "\(name) as bfloat16")
  }

  /// More blocks than are decoded at a time.
  @Test func manyBlocksAreAsFew() throws {
    let format = BlockFormat.q4_1
    let three = try Fixture("blocks").tensor("Q4_1.bytes")
    let few = Tensor([3 * format.elements], .bfloat16)
    format.decode(three, into: few)
    let all = (0..<2500).flatMap { _ in bytes(three) }
    let many = Tensor([2500, 3 * format.elements], .bfloat16)
    format.decode(Tensor(bytes: all, [all.count]), into: many)
    let expected = (0..<2500).flatMap { _ in few.converted(to: .float32).floats }
    assertClose(many.converted(to: .float32).floats, expected, .exact, "Q4_1")
  }
}
