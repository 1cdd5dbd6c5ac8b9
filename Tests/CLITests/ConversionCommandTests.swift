import FireflyBase
import FireflyCommand
import FireflyTestSupport
import Foundation
import Testing

/// merge, quantize and export as a user runs them.
@Suite(.serialized) struct ConversionCommandTests {
  @Test func quantizeWritesAFolderThatGenerateTakes() throws {
    try inTemporaryFolder { folder in
      let out = folder + "/out"
      let outcome = try Command.run("quantize", Fixture.model, out, "--shard-size", "20KB")
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("\(out): ") && outcome.output.hasSuffix(" MB\n"))
      #expect(FileManager.default.fileExists(atPath: out + "/model.safetensors.index.json"))
      let answer = try Command.run(
        "generate", out, "--prompt", "hi", "--greedy", "--max-new-tokens", "3", "--json")
      #expect(answer.status == 0, "\(answer.errors)")
      let again = try Command.run("quantize", Fixture.model, out)
      #expect(again.status == 1 && again.errors.contains("--overwrite"))
      #expect(
        try Command.run("quantize", Fixture.model, out, "--overwrite", "--double-quant", "false").status == 0)
    }
  }

  @Test func mergeComparesWithBothBases() throws {
    try inTemporaryFolder { folder in
      let outcome = try Command.run(
        "merge", Fixture.model, Fixture.adapter, folder + "/out", "--precision", "float32", "--json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try JSONValue.parse(outcome.output, source: "output")
      let bases = try #require(report["bases"]?.array)
      #expect(bases.map { $0["base"]?.string } == ["original + adapter", "NF4 + adapter"])
      #expect(bases[0]["max_difference"]?.double ?? 1 < 1e-3)
      #expect(bases[1]["mean_difference"]?.double ?? 0 > 1e-3)
      let text = try Command.run(
        "merge", Fixture.model, Fixture.adapter, folder + "/nf4", "--precision", "float32", "--onto", "nf4")
      #expect(text.output.contains("closest to: NF4 + adapter"), "\(text.output)")
    }
  }

  @Test func exportWritesAFileThatGenerateTakes() throws {
    try inTemporaryFolder { folder in
      let path = folder + "/a.gguf"
      #expect(try Command.run("export", Fixture.model, path, "--type", "f32").status == 0)
      let words = ["--prompt", "hi", "--greedy", "--max-new-tokens", "5", "--json", "--precision", "float32"]
      let template = ["--template", "qwen"]
      let file = try Command.run(["generate", path] + words + template).json()
      let model = try Command.run(["generate", Fixture.model] + words + template).json()
      #expect(file.first?["ids"] != nil && file.first?["ids"] == model.first?["ids"])
      let lora = try Command.run(
        "export", Fixture.model, folder + "/lora.gguf", "--adapter", Fixture.adapter, "--adapter-only")
      #expect(lora.status == 0, "\(lora.errors)")
    }
  }

  @Test func exportCalibratesAndWritesParts() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data("How many apples does Tom have? ".utf8), to: folder + "/text.txt")
      let outcome = try Command.run(
        "export", Fixture.model, folder + "/a.gguf", "--type", "q5_0", "--calibrate", folder + "/text.txt",
        "--split-size", "20KB")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        $0.hasPrefix("a-0000")
      }
      #expect(files.count > 1 && outcome.output.split(separator: "\n").count == files.count)
      let first = try #require(files.min())
      let words = ["--prompt", "hi", "--greedy", "--max-new-tokens", "3", "--json", "--template", "qwen"]
      #expect(try Command.run(["generate", "\(folder)/\(first)"] + words).json().first?["ids"] != nil)
    }
  }

  /// --overwrite replaces an older output, and nothing that was never one.
  @Test(arguments: [
    ("quantize m precious", "expected a model's folder"), ("quantize m m", "replace what is read"),
    ("quantize outer/m outer", "replace what is read"),
    ("merge m adapter adapter --no-probe", "a model's folder"),
    ("quantize m a.gguf", "expected a model's folder"), ("export m m/config.json", "expected a GGUF file"),
    ("export a.gguf a.gguf", "replace what is read"), ("export m precious", "expected a GGUF file"),
    ("export m nul", "expected a GGUF file"),
  ])
  func overwriteKeepsWhatIsNoOutput(_ words: String, _ says: String) throws {
    try inTemporaryFolder { folder in
      let made = try Command.shell(
        """
        cd '\(folder)' && mkdir precious outer && echo mine > precious/a.txt && mkfifo nul
        cp -r '\(Fixture.model)' m && cp -r m outer/m && cp m/config.json outer && cp -r '\(Fixture.adapter)' adapter
        "$0" export m a.gguf && tar cf ../\(URL(filePath: folder).lastPathComponent).tar .
        """)
      #expect(made.status == 0, "\(made.errors)")
      defer { try? FileManager.default.removeItem(atPath: folder + ".tar") }
      let outcome = try Command.shell("cd '\(folder)' && \"$0\" \(words) --overwrite")
      #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
      let same = try Command.shell("cd '\(folder)' && tar df '\(folder).tar'")
      #expect(same.status == 0, "\(same.output) \(same.errors)")
    }
  }

  /// SIGTERM and a lost terminal end a conversion as Ctrl-C does.
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalEndsAConversion(_ signal: Int32) {
    let error = #expect(throws: FireflyError.self) {
      try OutputOptions.converting("waiting") { progress in
        try progress(0)
        deliver(signal)
        try progress(0.5)
      }
    }
    #expect(error?.what == "interrupted: nothing was written")
  }

  /// To this thread, before it returns: threads of the test runner take no signals otherwise.
  private func deliver(_ signal: Int32) {
    var (signals, before) = (sigset_t(), sigset_t())
    sigemptyset(&signals)
    sigaddset(&signals, signal)
    pthread_sigmask(SIG_UNBLOCK, &signals, &before)
    raise(signal)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  @Test func aLimitOfFileSizesIsAnError() throws {
    try inTemporaryFolder { folder in
      let outcome = try Command.shell("ulimit -f 10; \"$0\" quantize '\(Fixture.model)' '\(folder)/out'")
      #expect(outcome.status == 1 && outcome.errors.contains("File too large"), "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  /// A name of one letter in the folder where one is.
  @Test(arguments: ["quantize MODEL o", "merge MODEL ADAPTER o", "export MODEL o --type f32"])
  func theOutputMayBeAName(_ words: String) throws {
    let words = words.replacing("MODEL", with: "'\(Fixture.model)'")
      .replacing("ADAPTER", with: "'\(Fixture.adapter)'")
    try inTemporaryFolder { folder in
      let outcome = try Command.shell("cd '\(folder)' && \"$0\" \(words)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/o"))
    }
  }

  @Test(arguments: [
    (["quantize", "m", "o", "--shard-size", "many"], "--shard-size: expected a size such as 5GB or 500MB"),
    (["export", "m", "o", "--type", "q9_k"], "--type: expected one of f32|f16|bf16|q8_0|q6_k|q5_k_m|"),
    (["export", "m", "o", "--split-size", "many"], "--split-size: expected a size such as 5GB or 500MB"),
    (["export", "m", "o", "--calibrate", "text.txt"], "--calibrate needs a quantised --type"),
    (["export", "m", "o", "--save-imatrix", "f"], "--save-imatrix needs --calibrate"),
    (["merge", "m", "a", "o.gguf", "--onto", "nf4"], "--onto cannot be used here"),
    (["export", "m", "o", "--adapter-only"], "--adapter-only needs --adapter"),
    (["export", "m", "o", "--onto", "nf4"], "--onto needs --adapter"),
    (["export", "m", "o", "--adapter", "a", "--adapter-only", "--type", "q8_0"], "f32, f16 or bf16"),
    (
      ["merge", "m", "a", "o", "--probe", "f", "--no-probe"], "--probe and --no-probe cannot be used together"
    ),
    (["merge", "m", "a"], "OUT is missing"),
  ])
  func badUsageIsTold(_ words: [String], _ says: String) throws {
    let outcome = try Command.run(words)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(says), "\(outcome.errors)")
  }

  /// A limit on the size of files stands for a disk that is full.
  @Test(arguments: ["quantize", "merge", "export"]) func aFullDiskLeavesNothing(_ verb: String) throws {
    try inTemporaryFolder { folder in
      let adapter = verb == "merge" ? "'\(Fixture.adapter)'" : ""
      let outcome = try Command.shell(
        "trap '' XFSZ; ulimit -f 40; \"$0\" \(verb) '\(Fixture.model)' \(adapter) '\(folder)/out'")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("cannot write") && outcome.errors.contains("\(folder)/out"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }
}
