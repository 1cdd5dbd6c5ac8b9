import FireflyBase
import FireflyCommand
import FireflyTestSupport
import Foundation
import Testing

/// What a user reads whose system speaks Chinese, from the built program.
@Suite struct ChineseTests {
  private static let system = ["FIREFLY_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"]

  private func run(_ words: [String], input: String = "") throws -> Command.Outcome {
    try Command.run(words, input: input, environment: ChineseTests.system)
  }

  /// Runs of three English words; names of options, keys, files and commands are none.
  private func sentences(_ text: String) -> [String] {
    let word = #/[A-Za-z][a-z']+ [a-z']{2,} [a-z']{2,}/#
    return text.matches(of: word).map { String($0.output) }.filter {
      !$0.hasPrefix("firefly ") && $0 != allowed
    }
  }

  /// A word of the shell's in an example.
  private let allowed = "echo What is"

  @Test(arguments: Program.verbs.map(\.name)) func noVerbsHelpHasAnEnglishSentence(_ verb: String) throws {
    let help = try run([verb, "--help"])
    #expect(help.status == 0)
    #expect(help.output.hasPrefix("用法：firefly \(verb)"))
    #expect(sentences(help.output) == [])
  }

  @Test func theProgramsHelpIsChinese() throws {
    let help = try run(["--help"])
    #expect(help.output.hasPrefix("用法：firefly"))
    #expect(help.output.contains(#/\n  train +在对话/#))
    #expect(sentences(help.output) == [])
  }

  /// An error of each part of the program, in Chinese but for names and values.
  @Test func errorsAreChinese() throws {
    try inTemporaryFolder { folder in
      let config = "\(folder)/run.json"
      try AtomicFile.write(Data(#"{"lora_rang": 4}"#.utf8), to: config)
      let broken = "\(folder)/broken.json"
      try AtomicFile.write(Data("{\"a\": }".utf8), to: broken)
      let cases: [([String], String)] = [
        ([], "缺少命令"),
        (["chart"], "未知的命令 chart；你要写的是不是 chat？"),
        (["download", "Org/Name", "--to", ""], "--to：文件夹没有名字"),
        (["train", config], "缺少 \"model_name_or_path\""),
        (["train", config], "未知的键 \"lora_rang\""),
        (["plan", "\(folder)/none.json"], "无法打开文件：没有那个文件或目录"),
        (["data", broken], "不是有效的 JSON：第 1 行第 7 列，意外的 \"}\""),
        (["chat"], "缺少 MODEL"),
        (["generate", "Org/None", "--prompt", "x"], "本机没有这个模型"),
        (["generate", "m", "--greedy", "--temperature", "1"], "--greedy 和 --temperature 不能同时使用"),
        (["serve", Fixture.model, "--host", "nowhere"], "不是可以监听的地址"),
        (
          ["eval", Fixture.model, "--task", "bleu"],
          "--task：应为 perplexity|mmlu|ceval|cmmlu|exact_match 之一，实际为“bleu”"
        ),
        (["merge", Fixture.model, "\(folder)/none", "\(folder)/out"], "没有这个适配器"),
        (["quantize", Fixture.model, folder], "此处已有内容"),
        (["export", Fixture.model, "\(folder)/out.txt", "--adapter-only"], "--adapter-only 需要 --adapter"),
        (["inspect", config], "不是可以查看的文件类型（应为文件夹、.gguf、.safetensors 或 .bin）"),
        (["tokenize", "\(folder)/none"], "没有这个"),
        (["completion", "tcsh"], "SHELL：应为 bash、zsh 或 fish，实际为“tcsh”"),
      ]
      for (words, expected) in cases {
        let outcome = try run(words)
        #expect(outcome.status == 1 || outcome.status == 2)
        #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
        #expect(sentences(outcome.errors.replacingOccurrences(of: folder, with: "")) == [], "\(words)")
      }
    }
  }

  @Test func resultsForProgramsStayEnglish() throws {
    let words = ["inspect", Fixture.model, "--json"]
    #expect(try run(words).output == Command.run(words).output)
  }

  @Test func anotherLanguageIsEnglishByteForByte() throws {
    for words in [
      ["--help"], ["train", "--help"], ["chart"], ["plan", "/none.json"], ["inspect", Fixture.model],
    ] {
      let english = try Command.run(words)
      for environment in [
        ["FIREFLY_LANG": "", "LC_ALL": "C"], ["LANG": "zh_CN.UTF-8", "FIREFLY_LANG": "en"],
      ] {
        let other = try Command.run(words, environment: environment)
        #expect(other.output == english.output)
        #expect(other.errors == english.errors)
      }
    }
    #expect(sentences(try Command.run(["train", "--help"]).output) != [])
  }
}
