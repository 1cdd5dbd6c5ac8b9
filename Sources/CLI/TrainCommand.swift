import FireflyBase

/// `firefly train CONFIG.json`.
enum TrainCommand {
  private static let config = Positional("CONFIG", "The training configuration, a JSON file.")
  private static let set = Option.text(
    "--set", "KEY=VALUE", "Replaces one key of the configuration.", repeated: true)
  private static let resume = Flag("--resume", "Continues from the last checkpoint of output_dir.")
  private static let dryRun = Flag("--dry-run", "Checks everything, prints the plan, and trains nothing.")

  static let verb = Verb(
    "train", summary: "Fine-tunes a model on conversations: QLoRA or LoRA.",
    positionals: [config],
    options: [set.declaration, resume.declaration, dryRun.declaration]
  ) { _ in
    throw FireflyError("not built yet")
  }
}
