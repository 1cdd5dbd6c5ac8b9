import FireflyBase

extension Ranks {
  /// The ranks' sums, element by element.
  package func sum(_ values: [Double]) throws -> [Double] {
    let all = try gather(equally: values)
    return all.dropFirst().reduce(all[0]) { zip($0, $1).map(+) }
  }

  /// Whether it is so on any rank.
  package func any(_ condition: Bool) throws -> Bool {
    try gather(equally: [condition]).joined().contains(true)
  }

  /// What the first rank has, on all.
  package func broadcast<Element: BitwiseCopyable>(_ values: [Element]) throws -> [Element] {
    try gather(isFirst ? values : [])[0]
  }

  /// Each rank's texts, on all of them.
  package func gather(texts: [String]) throws -> [[String]] {
    let own = JSONValue.array(texts.map(JSONValue.string)).text()
    return try gather(Array(own.utf8)).map { bytes in
      let list = try JSONValue.parse(String(decoding: bytes, as: UTF8.self), source: "a rank").array ?? []
      return list.compactMap(\.string)
    }
  }

  /// What `body` gives, once it has worked on all ranks. It may not talk to the others.
  ///
  /// - Throws: on all ranks the error of the first one that had one.
  package func agree<Result>(_ body: () throws -> Result) throws -> Result {
    if isAlone { return try body() }
    let own = Swift.Result { try body() }
    var told: [String] = []
    if case .failure(let error) = own {
      let error = error as? FireflyError ?? FireflyError("\(error)")
      told =
        [error.what]
        + [error.place, error.expected, error.found, error.fix].map { $0.map { "=\($0)" } ?? "" }
    }
    guard try any(!told.isEmpty) else { return try own.get() }
    let all = try gather(texts: told)
    guard let failed = all.firstIndex(where: { $0.count == 5 }) else { return try own.get() }
    failedTogether = true
    if failed == rank { return try own.get() }
    let parts = all[failed].dropFirst().map { $0.isEmpty ? nil : String($0.dropFirst()) }
    // Where the first rank found the same, its place is as good.
    let place =
      all[0].isEmpty ? [name(failed), parts[0]].compactMap(\.self).joined(separator: ": ") : parts[0]
    throw FireflyError(all[failed][0], at: place, expected: parts[1], found: parts[2], fix: parts[3])
  }

  /// An error that is thrown on all ranks, because they found it together.
  package func together(_ error: FireflyError) -> FireflyError {
    failedTogether = true
    return error
  }

  /// This rank's own error, with its name.
  package func named(_ error: any Error) -> FireflyError {
    var error = error as? FireflyError ?? FireflyError("\(error)")
    error.place = [name(rank), error.place].compactMap(\.self).joined(separator: ": ")
    return error
  }

  /// Makes sure that all ranks have the same.
  ///
  /// - Parameter facts: what each is about, and what it is here.
  /// - Throws: `FireflyError` on all ranks, naming one that differs from the first.
  package func requireEqual(_ facts: [(what: String, value: String)]) throws {
    let all = try gather(texts: facts.flatMap { [$0.what, $0.value] }).map { texts in
      stride(from: 0, to: texts.count, by: 2).map { (what: texts[$0], value: texts[$0 + 1]) }
    }
    for rank in all.indices {
      let values = [all[0], all[rank]].map { Dictionary($0.map { ($0.what, $0.value) }) { $1 } }
      let names = (all[0] + all[rank]).map(\.what)
      guard let name = names.first(where: { values[0][$0] != values[1][$0] }) else { continue }
      throw together(
        FireflyError(
          "the ranks do not have the same \(name)", at: self.name(rank),
          expected: "\(values[0][name] ?? "none") as \(self.name(0)) has", found: values[1][name] ?? "none",
          fix: "All machines need the same program, configuration, model and rows, at the same paths."))
    }
  }
}
