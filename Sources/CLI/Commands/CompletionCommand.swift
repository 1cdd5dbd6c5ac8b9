import FireflyBase

/// `firefly completion SHELL`.
enum CompletionCommand {
  private static let shell = Positional("SHELL", "bash or zsh.")

  static let verb = Verb(
    "completion", summary: "Prints a shell's completion script.",
    details: """
      For bash: firefly completion bash > ~/.local/share/bash-completion/completions/firefly
      For zsh: firefly completion zsh > a file named _firefly in a folder of $fpath
      """,
    positionals: [shell]
  ) { arguments in
    let output = Output()
    switch arguments[shell] {
    case "bash": try output.write(Completion.bash(Program.verbs))
    case "zsh": try output.write(Completion.zsh(Program.verbs))
    default:
      throw UsageError("SHELL: expected bash or zsh, found '\(arguments[shell])'", verb: arguments.verb)
    }
    try output.flush()
  }
}

/// `firefly manual`.
enum ManualCommand {
  static let verb = Verb(
    "manual", summary: "Prints the manual page: firefly manual | man -l -"
  ) { _ in
    let output = Output()
    try output.write(ManualPage.text(Program.verbs, version: Program.version))
    try output.flush()
  }
}
