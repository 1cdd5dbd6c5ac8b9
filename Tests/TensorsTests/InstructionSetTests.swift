import CKernels
import FireflyBase
import FireflyTensors
import Testing

@Suite struct InstructionSetTests {
  @Test func everyNameIsFoundAndTheBestIsTheDefault() throws {
    #expect(Ops.instructionSets.first == "generic")
    for name in Ops.instructionSets {
      #expect(String(cString: try Ops.table(named: name).pointee.name) == name)
      #expect(try Ops.with(instructionSet: name) { try Ops.instructionSet() } == name)
    }
    for unset in [nil, ""] {
      #expect(String(cString: try Ops.table(named: unset).pointee.name) == Ops.instructionSets.last)
    }
  }

  /// No other table is taken silently.
  @Test func unknownNameIsAnErrorThatListsTheKnownOnes() {
    let error = #expect(throws: FireflyError.self) { try Ops.table(named: "avx1024") }
    #expect(error?.place == "FIREFLY_ISA" && error?.found == "\"avx1024\"")
    #expect(error?.expected == Ops.instructionSets.joined(separator: ", "))
  }
}
