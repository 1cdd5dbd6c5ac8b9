import FireflyBase

/// `firefly completion SHELL`.
enum CompletionCommand {
  private static let shell = Positional("SHELL", "bash, zsh or fish.", choices: ["bash", "zsh", "fish"])

  /// - Parameter verbs: what the script completes.
  static func verb(of verbs: @escaping @Sendable () -> [Verb]) -> Verb {
    Verb(
      "completion", summary: "Prints a shell's completion script.",
      details: """
        For bash: firefly completion bash > ~/.local/share/bash-completion/completions/firefly
        For zsh: firefly completion zsh > a file named _firefly in a folder of $fpath
        For fish: firefly completion fish > ~/.config/fish/completions/firefly.fish
        """,
      positionals: [shell]
    ) { arguments in
      let output = Output()
      switch arguments[shell] {
      case "bash": try output.write(Completion.bash(verbs()))
      case "zsh": try output.write(Completion.zsh(verbs()))
      case "fish": try output.write(Completion.fish(verbs()))
      default:
        throw UsageError(
          "SHELL: expected bash, zsh or fish, found '\(arguments[shell])'", verb: arguments.verb)
      }
      try output.flush()
    }
  }
}

/// `firefly manual`.
enum ManualCommand {
  /// - Parameter verbs: what the page tells of.
  static func verb(of verbs: @escaping @Sendable () -> [Verb], version: String) -> Verb {
    Verb(
      "manual", summary: "Prints the manual page: firefly manual | man -l -"
    ) { _ in
      let output = Output()
      try output.write(ManualPage.text(verbs(), version: version))
      try output.flush()
    }
  }
}
