import CKernels
import FireflyBase
import FireflyTensors
import Testing

@Suite struct InstructionSetTests {
  @Test func everyNameIsFoundAndTheBestIsTheDefault() throws {
    #expect(InstructionSet.names.first == "generic")
    for name in InstructionSet.names {
      #expect(try InstructionSet.named(name).name == name)
      #expect(try InstructionSet.with(name) { try InstructionSet.current() } == name)
    }
    for unset in [nil, ""] {
      #expect(try InstructionSet.named(unset).name == InstructionSet.names.last)
    }
  }

  /// It is there for who asks for it, and nobody is told to.
  @Test func theImitationOfTilesIsNotListed() throws {
    #expect(!InstructionSet.names.contains("amx-imitated"))
    #expect(try InstructionSet.named("amx-imitated").name == "amx-imitated")
    #expect(try InstructionSet.with("amx-imitated") { try InstructionSet.current() } == "amx-imitated")
  }

  /// A thread that was given kernels without tiles has none, whatever the process has chosen.
  @Test func aChoiceWithinAChoiceHolds() throws {
    let names = try InstructionSet.with("amx-imitated") {
      let inner = try InstructionSet.with("generic") { try InstructionSet.current() }
      return [inner, try InstructionSet.current()]
    }
    #expect(names == ["generic", "amx-imitated"])
  }

  /// No other table is taken silently.
  @Test func unknownNameIsAnErrorThatListsTheKnownOnes() {
    let error = #expect(throws: FireflyError.self) { try InstructionSet.named("avx1024") }
    #expect(error?.place == "FIREFLY_ISA" && error?.found == "\"avx1024\"")
    #expect(error?.expected == InstructionSet.names.joined(separator: ", "))
  }
}
