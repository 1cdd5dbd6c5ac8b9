import FireflyBase

/// Which modules an adapter's configuration gives a pair to, by PEFT's rules (`check_target_module_exists`).
struct AdapterTargets {
  /// `target_modules` where it is a list of names, or of the ends of paths; nil: a regular expression, or every linear layer.
  let names: [String]?
  private let pattern: ModuleExpression?
  private let excludedNames: [String]
  private let excludedPattern: ModuleExpression?
  /// `layers_to_transform`; nil: every layer.
  private let layers: Set<Int>?
  /// `layers_pattern`: what stands before a layer's number; empty: anything.
  private let layerNames: [ModuleExpression]
  private let saved: [String]
  /// `target_parameters`: the ends of parameters' paths.
  private let parameters: [String]

  init(_ keys: KeyReader, saved: [String]) throws {
    self.saved = saved
    parameters = try keys.strings("target_parameters") ?? []
    (names, pattern) = try AdapterTargets.modules("target_modules", keys)
    let excluded = try AdapterTargets.modules("exclude_modules", keys)
    (excludedNames, excludedPattern) = (excluded.names ?? [], excluded.pattern)
    let layers = try AdapterTargets.list("layers_to_transform", keys) { $0.int }
    self.layers = layers.isEmpty ? nil : Set(layers)
    layerNames = try AdapterTargets.list("layers_pattern", keys) { $0.string }.map {
      try ModuleExpression("(.*\\.)?\($0)", at: "\(keys.source): layers_pattern")
    }
  }

  /// Whether it takes more than `names` to say which modules they are.
  var isNarrowed: Bool { names == nil || !excludedNames.isEmpty || excludedPattern != nil || layers != nil }

  func contains(_ module: String) -> Bool {
    if excludedNames.contains(where: { LoRAOptions.matches(module, $0) }) { return false }
    if excludedPattern?.fits(module) == true || saved.contains(where: { LoRAOptions.matches(module, $0) }) {
      return false
    }
    if let pattern { return pattern.fits(module) }
    guard let names else { return parameters.isEmpty }
    guard names.contains(where: { LoRAOptions.matches(module, $0) }) else { return false }
    // A module that is named by its whole path has a pair whatever its layer.
    guard let layers, !names.contains(module) else { return true }
    return layer(of: module).map(layers.contains) ?? false
  }

  /// Whether a parameter has a pair, by its path.
  func containsParameter(_ path: String) -> Bool { parameters.contains { LoRAOptions.matches(path, $0) } }

  /// The first number in the module's path that may be a layer's; of several names of layers, by the first that stands before
  /// a number.
  private func layer(of module: String) -> Int? {
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    let places = parts.indices.dropLast().filter { Int(parts[$0]) != nil }
    func number(where isLayer: (Int) -> Bool) -> Int? {
      places.first(where: isLayer).flatMap { Int(parts[$0]) }
    }
    if layerNames.isEmpty { return number { $0 >= 2 } }
    return layerNames.lazy.compactMap { name in
      number { name.fits(parts[..<$0].joined(separator: ".")) }
    }.first
  }

  // MARK: - Values

  /// A list of names, or a regular expression; neither where the value is absent or `all-linear`.
  private static func modules(
    _ key: String, _ keys: KeyReader
  ) throws -> (names: [String]?, pattern: ModuleExpression?) {
    guard case .string(let text)? = keys.value(key) else { return (try keys.strings(key), nil) }
    if text.lowercased() == "all-linear" { return (nil, nil) }
    return (nil, try ModuleExpression(text, at: "\(keys.source): \(key)"))
  }

  /// The value, or the values of a list of them.
  private static func list<Value>(
    _ key: String, _ keys: KeyReader, _ convert: (JSONValue) -> Value?
  ) throws -> [Value] {
    guard let value = keys.value(key) else { return [] }
    let all = value.array ?? [value]
    let converted = all.compactMap(convert)
    guard converted.count == all.count else {
      throw FireflyError("unusable value", at: "\(keys.source): \(key)", found: value.excerpt)
    }
    return converted
  }
}
