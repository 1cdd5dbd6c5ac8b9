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
    format.decode(UnsafeRawBufferPointer(bytes.bytes), into: found)
    assertClose(found.floats, expected.floats, .exact, name)
    let rounded = Tensor([3 * format.elements], .bfloat16)
    format.decode(UnsafeRawBufferPointer(bytes.bytes), into: rounded)
    assertClose(rounded, expected.converted(to: .bfloat16), .exact, "\(name) as bfloat16")
  }
}
