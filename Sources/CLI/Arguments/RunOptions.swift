import FireflyTraining

/// What the verbs about a training run share: its configuration.
enum RunOptions {
  static let config = Positional("CONFIG", "The training configuration, a JSON or YAML file.")
  static let set = Option.text(
    "--set", "KEY=VALUE",
    "Replaces one key of the configuration; VALUE is JSON or a bare string. 'firefly keys' lists the keys.",
    repeated: true)

  static func run(_ arguments: Arguments) throws -> RunConfig {
    try RunConfig(file: arguments[config], overrides: arguments.all(set))
  }
}

extension OptionDeclaration {
  /// The option takes a configuration's key and value.
  var takesSetting: Bool { name == RunOptions.set.declaration.name }
}
