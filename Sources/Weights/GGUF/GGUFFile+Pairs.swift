// What is written of metadata that was read.

extension GGUFFile {
  /// The metadata of the keys, as it can be written again, in the order of the keys.
  package func pairs(where isWanted: (String) -> Bool) -> [(
    key: String, value: GGUFWriter.Value
  )] {
    metadata.keys.filter(isWanted).sorted().compactMap { key in
      metadata[key].flatMap(GGUFWriter.Value.init).map { (key, $0) }
    }
  }
}

extension GGUFWriter.Value {
  /// nil: a list that is neither of strings, numbers of 32 bits nor empty, or no longer there.
  fileprivate init?(_ value: GGUFValue) {
    switch value {
    case .bool(let flag): self = .bool(flag)
    case .integer(let number):
      self =
        UInt32(exactly: number) != nil
        ? .uint32(number) : Int32(exactly: number) != nil ? .int32(number) : .int64(number)
    case .large(let number): self = .uint64(number)
    case .float32(let number): self = .float32(number)
    case .float64(let number): self = .float64(number)
    case .string(let text): self = .string(text)
    case .texts(let texts):
      guard let list = texts.list else { return nil }
      self = .strings(list)
    case .numbers(let numbers): self = .int32s(numbers.map(Int.init))
    case .fractions(let numbers): self = .float32s(numbers)
    case .array(let list) where list.isEmpty: self = .strings([])
    case .array:
      guard let numbers = value.ints, numbers.allSatisfy({ Int32(exactly: $0) != nil }) else { return nil }
      self = .int32s(numbers)
    }
  }
}
