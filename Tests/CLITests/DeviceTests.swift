import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// `--device`, with a library in the place of a card's driver and of cuBLAS: the program as it is on a machine with a card.
@Suite struct DeviceTests {
  /// Runs `firefly` where the system's linker finds the stand-in as libcuda.so.1.
  private func run(_ words: [String], _ environment: [String: String] = [:]) throws -> Command.Outcome {
    let standIn = (try Command.executable() as NSString).deletingLastPathComponent + "/libCardStandIn.so"
    return try inTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/libcuda.so.1", withDestinationPath: standIn)
      return try Command.run(
        words,
        environment: ["LD_LIBRARY_PATH": folder, "FIREFLY_LIBCUBLAS": standIn].merging(environment) { $1 })
    }
  }

  private let question = [
    "generate", Fixture.model, "--greedy", "--max-new-tokens", "8", "--precision", "float32", "--prompt",
    "Tom has 3 apples.",
  ]

  @Test func aCardIsFoundAndAnswersAsTheProcessorDoes() throws {
    let onCard = try run(question + ["--json", "--device", "cuda"])
    #expect(onCard.status == 0 && onCard.errors == "firefly: computing on a stand-in\n")
    let processor = try run(question + ["--json", "--device", "cpu"])
    #expect(processor.errors.isEmpty && processor.output == onCard.output)
  }

  /// Asked for, the missing part is an error; otherwise the processor takes its place and that is said.
  @Test(arguments: [
    (["FIREFLY_STAND_IN": "no-card"], "no NVIDIA card", "CUDA_VISIBLE_DEVICES"),
    (["FIREFLY_STAND_IN": "old-ptx"], "the NVIDIA driver is too old", "newer driver"),
    (["FIREFLY_LIBCUBLAS": "/none/libcublas.so.12"], "no cuBLAS", "pip install nvidia-cublas"),
  ])
  func whatIsMissingIsSaid(_ environment: [String: String], _ what: String, _ fix: String) throws {
    let asked = try run(question + ["--device", "cuda"], environment)
    #expect(asked.status == 1 && asked.output.isEmpty)
    #expect(asked.errors.contains(what) && asked.errors.contains(fix), "\(asked.errors)")
    let auto = try run(question, environment)
    #expect(auto.status == 0 && !auto.output.isEmpty)
    #expect(auto.errors.hasPrefix("firefly: computing on the processor: "), "\(auto.errors)")
    #expect(auto.errors.contains(what))
  }

  @Test func theProgramHasNoLinkToACard() throws {
    let outcome = try Command.shell("ldd \"$0\"")
    #expect(outcome.output.contains("libdnnl"))
    #expect(!outcome.output.contains("cuda") && !outcome.output.contains("cublas"))
  }
}
