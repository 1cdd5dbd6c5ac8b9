import FireflyBase
import Foundation
import Testing

/// The scripts are run by the shells they are for, where those are installed; bash always is.
@Suite struct CompletionTests {
  @Test(arguments: [
    (["firefly", "ins"], "inspect"),
    (["firefly", "bench", "--shape", "zi"], "ziya13b"),
    (["firefly", "train", "--dry"], "--dry-run"),
    (["firefly", "keys", "loss_red"], "loss_reduction"),
    (["firefly", "train", "c.json", "--set", "gradient_acc"], "gradient_accumulation_steps="),
    (["firefly", "train", "c.json", "--set", "task_type", "="], "pretrain sft dpo"),
    (
      ["firefly", "plan", "c.json", "--set", "lr_scheduler_type", "=", "const"],
      "constant constant_with_warmup"
    ),
    (["firefly", "data", "c.json", "--set", "bf16=t"], "bf16=true"),
  ])
  func bashCompletes(_ words: [String], _ expected: String) throws {
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    let outcome = try Command.shell(
      """
      source <("$0" completion bash); compopt() { :; }
      COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); _firefly; echo "${COMPREPLY[@]}"
      """)
    #expect(outcome.output == expected + "\n")
    #expect(outcome.errors.isEmpty)
  }

  @Test func zshScriptNamesEveryVerbAndOption() throws {
    let script = try Command.run("completion", "zsh").output
    #expect(script.hasPrefix("#compdef firefly\n"))
    for part in [
      "'plan:", "'*--set[", ":KEY=VALUE:_firefly_setting'", "task_type) compadd -- pretrain sft dpo ;;",
      "--shape[",
      "(smollm2 smollm2-blocks llama7b ziya13b whole-ziya13b mixtral qwen1.5-moe qwen3-30b-a3b gpt-oss-20b)",
    ] {
      #expect(script.contains(part), "\(part)")
    }
  }

  @Test(.enabled(if: isInstalled("zsh"), "zsh is not installed")) func zshReadsItsScript() throws {
    #expect(try Command.shell("\"$0\" completion zsh | zsh -n").status == 0)
  }

  private static func isInstalled(_ shell: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)")
  }

  @Test func fishScriptNamesEveryVerbAndOption() throws {
    let script = try Command.run("completion", "fish").output
    for part in [
      "-f -a plan -d 'Says what", "'__firefly_words + train' -l set -x -a '(__firefly_setting)' -d '",
      "    case 'task_type=*'\n      printf 'task_type=%s\\n' pretrain sft dpo\n",
    ] {
      #expect(script.contains(part), "\(part)")
    }
  }

  @Test(
    .enabled(if: isInstalled("fish"), "fish is not installed"),
    arguments: [
      ("firefly ins", "inspect\tShows what"), ("firefly train --dry", "--dry-run\t"),
      ("firefly bench --shape zi", "ziya13b\t"), ("firefly keys loss_red", "loss_reduction\n"),
      ("firefly train c.json --set task_type=p", "task_type=pretrain\t"),
    ])
  func fishCompletes(_ line: String, _ first: String) throws {
    let outcome = try Command.shell(
      """
      file=$(mktemp); "$0" completion fish >$file
      fish -c "source $file; complete -C '\(line)'"; rm $file
      """)
    #expect(outcome.output.hasPrefix(first), "\(outcome.output) \(outcome.errors)")
  }

  @Test func anUnknownShellIsRefused() throws {
    let outcome = try Command.run("completion", "tcsh")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("firefly: SHELL: expected bash, zsh or fish, found 'tcsh'\n"))
  }

  @Test func theManualHasEveryVerbAndNoRawDashes() throws {
    let page = try Command.run("manual").output
    #expect(page.hasPrefix(".TH FIREFLY 1"))
    for verb in ["train", "plan", "chat", "bench"] { #expect(page.contains("\n.SS firefly \(verb)")) }
    #expect(page.contains("\\fB\\-\\-dry\\-run\\fR"))
  }
}
