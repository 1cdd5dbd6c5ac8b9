import FireflyBase

extension GGUFCursor {
  /// The value of a metadata key: its type, then itself.
  mutating func typedValue(of key: String) throws -> GGUFValue {
    let type = try number(UInt32.self, "the type of \(key)")
    return try value(of: key, type: type, depth: 0)
  }

  private mutating func value(of key: String, type: UInt32, depth: Int) throws -> GGUFValue {
    switch type {
    case 0: return .integer(Int(try number(UInt8.self, key)))
    case 1: return .integer(Int(try number(Int8.self, key)))
    case 2: return .integer(Int(try number(UInt16.self, key)))
    case 3: return .integer(Int(try number(Int16.self, key)))
    case 4: return .integer(Int(try number(UInt32.self, key)))
    case 5: return .integer(Int(try number(Int32.self, key)))
    case 6: return .float32(Float(bitPattern: try number(UInt32.self, key)))
    case 7: return .bool(try bool(key))
    case 8: return .string(try string(key))
    case 9: return try array(key, depth: depth + 1)
    case 10:
      let number = try number(UInt64.self, key)
      return Int(exactly: number).map(GGUFValue.integer) ?? .large(number)
    case 11: return .integer(Int(try number(Int64.self, key)))
    case 12: return .float64(Double(bitPattern: try number(UInt64.self, key)))
    default:
      throw FireflyError(
        "the metadata value has an unknown type", at: "\(path): \(key)", expected: "0 to 12", found: "\(type)"
      )
    }
  }

  private mutating func bool(_ key: String) throws -> Bool {
    let byte = try number(UInt8.self, key)
    guard byte <= 1 else {
      throw FireflyError("not a boolean", at: "\(path): \(key)", expected: "0 or 1", found: "\(byte)")
    }
    return byte == 1
  }

  /// Arrays of arrays are allowed by the format; no known file nests more than two.
  private mutating func array(_ key: String, depth: Int) throws -> GGUFValue {
    guard depth <= 4 else {
      throw FireflyError(
        "the metadata's arrays are nested too deeply", at: "\(path): \(key)", expected: "at most 4")
    }
    let type = try number(UInt32.self, "the element type of \(key)")
    let count = try count("the length of \(key)", least: GGUFCursor.leastBytes(ofType: type))
    switch type {
    case _ where count == 0: return .array([])
    case 5: return .numbers(try list(count) { try $0.number(Int32.self, key) })
    case 6: return .fractions(try list(count) { Float(bitPattern: try $0.number(UInt32.self, key)) })
    case 8: return .texts(try GGUFTexts(&self, count: count, of: key))
    default: return .array(try list(count) { try $0.value(of: key, type: type, depth: depth) })
    }
  }

  private static func leastBytes(ofType type: UInt32) -> Int {
    switch type {
    case 2, 3: 2
    case 4, 5, 6: 4
    case 8, 10, 11, 12: 8
    case 9: 12
    default: 1
    }
  }
}
