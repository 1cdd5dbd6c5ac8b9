import FireflyBase

/// `firefly env`.
enum EnvCommand {
  private static let json = Flag("--json", "One JSON object.")

  static let verb = Verb(
    "env", summary: "Shows this program and machine, for a report of a fault.",
    details: """
      Version and commit, system, processor and kernels, card, memory, versions of libraries, and those variables of the environment \
      that change what Firefly does. Keys and tokens are never shown.
      """,
    options: [json.declaration]
  ) { arguments in
    let facts = try MachineFacts.all()
    let output = Output()
    try output.line(arguments[json] ? MachineFacts.json(facts).text(indent: 2) : MachineFacts.text(facts))
    try output.flush()
  }
}
