import FireflyBase
import FireflyModels

// Which layers an adapter is for, where lora_target_modules alone does not say it.

extension RunConfig {
  /// This configuration with the layers, ranks and alphas that are chosen of the model.
  ///
  /// - Throws: `FireflyError` for a choice that leaves nothing, or that the model does not have.
  func choosingLayers(_ architecture: Architecture) throws -> RunConfig {
    guard mode != .full, !adapterChoice.isEmpty else { return self }
    let options = try adapterChoice.applied(to: loraOptions, architecture)
    var config = self
    config.loraTargetModules = options.targetModules
    (config.loraRankPattern, config.loraAlphaPattern) = (options.rankPattern, options.alphaPattern)
    return config
  }
}

extension ConfigReader {
  /// exclude_modules and what belongs to it, and lora_target_modules where it is an expression; empty where the list of names
  /// says all.
  mutating func adapterChoice(startAdapter: String?, source: String) -> AdapterChoice {
    var given: [String: JSONValue] = [:]
    for key in AdapterKeys.choice where has(key) {
      let value = value(key)
      if ![.array([]), .object([:]), .string("")].contains(value) { given[key.name] = value }
    }
    let targets = member(AdapterKeys.targets.name)
    let isExpression = targets?.string.map { $0.lowercased() != "all-linear" } ?? false
    if given["layers_pattern"] != nil && given["layers_to_transform"] == nil {
      problem(
        "\"layers_pattern\" is for \"layers_to_transform\", which is not given", key: "layers_pattern",
        fix: "Remove the key.")
    }
    if isExpression && given["layers_to_transform"] != nil {
      problem(
        "\"layers_to_transform\" does not go with an expression", key: "layers_to_transform",
        found: targets?.text(), fix: "Let the expression say which layers, or list the modules' names.")
    }
    if startAdapter != nil, let key = given.keys.min() {
      problem(
        "\"\(key)\" does not go with \"adapter_name_or_path\"", key: key, found: given[key]?.text(),
        fix: "Remove the key: the adapter's own settings hold.")
    }
    guard isExpression || !given.isEmpty else { return AdapterChoice([:], source: source) }
    if isExpression || targets?.array != nil { given["target_modules"] = targets }
    return AdapterChoice(given, source: source)
  }
}
