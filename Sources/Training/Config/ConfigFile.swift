import FireflyBase

/// A run's configuration as a file: JSON, or YAML by its name.
enum ConfigFile {
  /// - Throws: `FireflyError` for what is neither, and for a key that stands twice, of which one would be lost.
  static func read(_ path: String) throws -> JSONValue {
    let file = try MappedFile(path)
    return try withExtendedLifetime(file) {
      if file.bytes.isEmpty { throw empty(path) }
      if [".yaml", ".yml"].contains(where: path.lowercased().hasSuffix) {
        let value = try YAMLReader.parse(file.bytes, source: path)
        if value == .null { throw empty(path) }
        return value
      }
      let value = try hinted { try JSONValue.parse(file.bytes, source: path) }
      if value.object != nil { try refuseDoubles(file) }
      return value
    }
  }

  private static func empty(_ path: String) -> FireflyError {
    FireflyError("the file is empty", at: path, expected: "a run's settings as JSON or YAML")
  }

  /// Adds to an error of the parser what people write that JSON has not.
  private static func hinted<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch var error as FireflyError {
      error.fix = "JSON has no comments and no comma behind the last value; a .yaml file is read as YAML."
      throw error
    }
  }

  private static func refuseDoubles(_ file: MappedFile) throws {
    var seen: Set<String> = []
    var reader = try JSONReader(file.bytes, source: file.path)
    try reader.forEachMember { key, reader in
      let name = String(decoding: key, as: UTF8.self)
      guard seen.insert(name).inserted else { throw FireflyError.keyTwice(name, at: file.path) }
      try reader.skip()
    }
  }
}
