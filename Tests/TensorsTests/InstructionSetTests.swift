import CKernels
import FireflyBase
import FireflyTensors
import Testing

@Suite struct InstructionSetTests {
  @Test func everyNameIsFoundAndTheBestIsTheDefault() throws {
    #expect(InstructionSet.names.first == "generic")
    for name in InstructionSet.names {
      #expect(String(cString: try InstructionSet.table(named: name).pointee.name) == name)
      #expect(try InstructionSet.with(name) { try InstructionSet.current() } == name)
    }
    for unset in [nil, ""] {
      #expect(
        String(cString: try InstructionSet.table(named: unset).pointee.name) == InstructionSet.names.last)
    }
  }

  /// No other table is taken silently.
  @Test func unknownNameIsAnErrorThatListsTheKnownOnes() {
    let error = #expect(throws: FireflyError.self) { try InstructionSet.table(named: "avx1024") }
    #expect(error?.place == "FIREFLY_ISA" && error?.found == "\"avx1024\"")
    #expect(error?.expected == InstructionSet.names.joined(separator: ", "))
  }
}
