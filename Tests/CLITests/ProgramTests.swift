import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@Suite struct ProgramTests {
  @Test func versionAndHelp() throws {
    let version = try Command.run("--version")
    #expect(version.status == 0)
    #expect(version.output == "firefly \(try #require(Fixture.version))\n")
    let help = try Command.run("--help")
    #expect(help.status == 0)
    #expect(help.errors.isEmpty)
    for verb in [
      "download", "train", "plan", "data", "chat", "generate", "serve", "eval", "merge", "quantize", "export",
      "tokenize",
      "inspect", "bench", "env",
    ] {
      #expect(help.output.contains("\n  \(verb) "))
      let own = try Command.run(verb, "--help")
      #expect(own.status == 0)
      #expect(own.output.hasPrefix("Usage: firefly \(verb) "))
    }
  }

  /// A misspelt variable has no effect, and is told.
  @Test func variablesThatNobodyReadsAreTold() throws {
    let environment = ["FIREFLY_THREAD": "2", "FIREFLY_LANG": "fr"]
    let told = try Command.run(["env"], environment: environment)
    #expect(told.status == 0)
    #expect(
      told.errors.contains("FIREFLY_THREAD is not known and has no effect; did you mean FIREFLY_THREADS?"))
    #expect(told.errors.contains("FIREFLY_LANG is \"fr\""))
    #expect(try Command.run("env").errors.isEmpty)
  }

  @Test(arguments: [
    (["help", "chart"], "firefly: unknown verb chart; did you mean chat?\nTry 'firefly --help'.\n"),
    (
      ["help", "chat", "train"],
      "firefly: help tells of one verb, found 'chat train'\nTry 'firefly --help'.\n"
    ),
    (["chart"], "firefly: unknown verb chart; did you mean chat?\nTry 'firefly --help'.\n"),
    (["--versio"], "firefly: unknown option --versio; did you mean --version?\nTry 'firefly --help'.\n"),
    (["chat"], "firefly: MODEL is missing\nTry 'firefly chat --help'.\n"),
    (
      ["chat", "m", "--adaptor", "d"],
      "firefly: unknown option --adaptor; did you mean --adapter?\nTry 'firefly chat --help'.\n"
    ),
    (
      ["chat", "m", "--greedy", "--temperature", "1"],
      "firefly: --greedy and --temperature cannot be used together: --greedy is temperature 0\n"
        + "Try 'firefly chat --help'.\n"
    ),
    (["generate", "m"], "firefly: --prompt or --file is missing\nTry 'firefly generate --help'.\n"),
    (
      ["generate", "m", "--prompt", "x", "--top-logprobs", "2"],
      "firefly: --top-logprobs needs --json\nTry 'firefly generate --help'.\n"
    ),
    (["eval", "m", "--file", "f"], "firefly: --task is missing\nTry 'firefly eval --help'.\n"),
    (
      ["eval", "m", "--task", "bleu"],
      "firefly: --task: expected one of perplexity|mmlu|ceval|cmmlu|exact_match, found 'bleu'\n"
        + "Try 'firefly eval --help'.\n"
    ),
    (
      ["eval", "m", "--task", "perplexity"], "firefly: --file is missing\nTry 'firefly eval --help'.\n"
    ),
    (
      ["eval", "m", "--task", "mmlu", "--file", "f"],
      "firefly: --file cannot be used here: it has no meaning for --task mmlu\nTry 'firefly eval --help'.\n"
    ),
    (
      ["eval", "m", "--task", "perplexity", "--file", "f", "--temperature", "1"],
      "firefly: --temperature cannot be used here: it has no meaning for --task perplexity\n"
        + "Try 'firefly eval --help'.\n"
    ),
    (["eval", "m", "--task", "ceval"], "firefly: --data is missing\nTry 'firefly eval --help'.\n"),
    (
      ["generate", "m", "What is it?"],
      "firefly: unexpected argument 'What is it?'; a prompt comes after --prompt\nTry 'firefly generate --help'.\n"
    ),
    (["inspect", "a", "b"], "firefly: unexpected argument 'b'\nTry 'firefly inspect --help'.\n"),
  ])
  func badUsageExitsWithTwo(words: [String], expected: String) throws {
    let outcome = try Command.run(words)
    #expect(outcome.status == 2)
    #expect(outcome.errors == expected)
    #expect(outcome.output.isEmpty)
  }

  @Test func helpTellsOfTheProgramOrOfAVerb() throws {
    #expect(try Command.run("help").output == (try Command.run("--help").output))
    #expect(try Command.run("help", "train").output == (try Command.run("train", "--help").output))
    let alone = try Command.run()
    #expect(alone.status == 2 && alone.output.isEmpty)
    #expect(
      alone.errors == (try Command.run("help").output)
        + "\nfirefly: a verb is missing\nTry 'firefly --help'.\n")
  }

  @Test(arguments: ["chat", "generate", "eval", "tokenize", "inspect", "data"])
  func aMissingPathExitsWithOneAndNamesIt(verb: String) throws {
    try inTemporaryFolder { folder in
      let path = folder + "/nothing"
      var words = [verb, path]
      if verb == "generate" { words += ["--prompt", "x"] }
      if verb == "eval" { words += ["--task", "exact_match", "--file", path] }
      let outcome = try Command.run(words)
      #expect(outcome.status == 1)
      #expect(outcome.errors.hasPrefix("firefly: ") && outcome.errors.contains(path))
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func aFullDiskUnderStandardOutputIsAnError() throws {
    try #require(FileManager.default.fileExists(atPath: "/dev/full"))
    let outcome = try Command.shell("\"$0\" --help > /dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "firefly: cannot write to standard output: No space left on device\n")
  }

  @Test func aReaderThatLeavesIsNotAnError() throws {
    // `true` reads nothing; far more than a pipe holds is written to it.
    let outcome = try Command.shell(
      "yes '\"many words to be encoded\"' | head -n 20000 | { \"$0\" tokenize '\(Fixture.model)'; echo $? >&2; } | true"
    )
    #expect(outcome.errors == "0\n")
  }
}
