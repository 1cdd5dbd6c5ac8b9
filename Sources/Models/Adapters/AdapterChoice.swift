import FireflyBase

/// Which linear layers a fresh adapter has pairs on, and of which rank and factor, where that takes more than a list of names:
/// by keys of PEFT's LoraConfig.
package struct AdapterChoice: Equatable, Sendable {
  private let keys: [String: JSONValue]
  private let source: String

  /// - Parameters:
  ///   - keys: target_modules, exclude_modules, layers_to_transform, layers_pattern, rank_pattern, alpha_pattern; those
  ///     that are given.
  ///   - source: names the file in errors.
  package init(_ keys: [String: JSONValue], source: String) {
    self.keys = keys
    self.source = source
  }

  package var isEmpty: Bool { keys.isEmpty }

  /// The options with these layers, each by its path, and patterns.
  ///
  /// - Throws: `FireflyError` where no layer is chosen, and for a pattern that fits none or says otherwise than another.
  package func applied(to options: LoRAOptions, _ architecture: Architecture) throws -> LoRAOptions {
    var options = options
    let chosen = try modules(architecture, saved: options.modulesToSave)
    options.targetModules = chosen
    options.rankPattern = try patterns("rank_pattern", chosen, expected: "a whole number from 1 to 65536") {
      $0.int.flatMap { (1...1 << 16).contains($0) ? $0 : nil }
    }
    options.alphaPattern = try patterns("alpha_pattern", chosen, expected: "a number above 0") {
      $0.double.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }
    return options
  }

  private func modules(_ architecture: Architecture, saved: [String]) throws -> [String] {
    let linears = architecture.adaptableLinears.map(\.module)
    var keys = keys
    // Every linear layer but the head, as a list of names, which can be narrowed to some layers.
    if keys["target_modules"] == nil {
      let leaves = Set(linears.compactMap { $0.split(separator: ".").last.map(String.init) })
      keys["target_modules"] = .array(leaves.sorted().map(JSONValue.string))
    }
    let targets = try AdapterTargets(KeyReader(.object(keys), source: source), saved: saved)
    let chosen = (linears + (architecture.adaptableHead.map { [$0.module] } ?? [])).filter(targets.contains)
    guard !chosen.isEmpty else {
      throw FireflyError(
        "no linear layer of the model gets an adapter", at: source,
        expected: "modules like \(linears.first ?? "none")",
        found: keys.keys.sorted().map { "\"\($0)\": \(keys[$0]?.text() ?? "")" }.joined(separator: ", "),
        fix: "A text is an expression that a module's whole path fits; names stand in a list.")
    }
    return chosen
  }

  /// A configuration keeps no order of an object's members, so no two of them may say different things of a layer.
  private func patterns<Value: Equatable & Sendable>(
    _ key: String, _ chosen: [String], expected: String, _ convert: (JSONValue) -> Value?
  ) throws -> ModulePatterns<Value> {
    var patterns = ModulePatterns<Value>()
    let place = "\(source): \(key)"
    for (name, value) in (keys[key]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let value = convert(value) else {
        throw FireflyError(
          "\"\(key)\" has a wrong value", at: source, expected: expected, found: "\(name): \(value.text())")
      }
      var single = ModulePatterns<Value>()
      try single.append(name, value, at: place)
      let fitting = chosen.filter { single.value(of: $0) != nil }
      guard !fitting.isEmpty else {
        throw FireflyError(
          "the pattern fits no layer that has an adapter", at: place,
          expected: "the end of a module's path, or an expression of it", found: "\"\(name)\"")
      }
      if let both = fitting.first(where: { patterns.value(of: $0).map { $0 != value } == true }) {
        throw FireflyError(
          "two patterns say different things of a layer", at: place, found: both,
          fix: "Write them so that one of them fits it.")
      }
      try patterns.append(name, value, at: place)
    }
    return patterns
  }
}
