/// A metadata value of a GGUF file.
package enum GGUFValue: Equatable, Sendable {
  case bool(Bool)
  case integer(Int)
  /// A UINT64 from 2⁶³.
  case large(UInt64)
  case float32(Float)
  case float64(Double)
  case string(String)
  case array([GGUFValue])
  /// Arrays with an element for each token: as values of their own they would take several times the room.
  case texts(GGUFTexts)
  case numbers([Int32])
  case fractions([Float])

  package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  package var int: Int? { if case .integer(let number) = self { number } else { nil } }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  /// An array's elements, which takes room for all.
  package var array: [GGUFValue]? {
    switch self {
    case .array(let list): list
    case .texts(let texts): texts.list?.map(GGUFValue.string)
    case .numbers(let list): list.map { .integer(Int($0)) }
    case .fractions(let list): list.map(GGUFValue.float32)
    default: nil
    }
  }

  /// The length of an array.
  package var count: Int? {
    switch self {
    case .array(let list): list.count
    case .texts(let texts): texts.count
    case .numbers(let list): list.count
    case .fractions(let list): list.count
    default: nil
    }
  }

  /// A number as it was meant: a FLOAT32 of 1e-5 gives 1e-5, not its 9.999999747378752e-06.
  package var double: Double? {
    switch self {
    case .float32(let number): Double(number.description)
    case .float64(let number): number
    case .integer(let number): Double(number)
    default: nil
    }
  }

  /// The elements of an array of strings, integers or 32-bit floats; nil when any is of another kind.
  package var strings: [String]? {
    if case .texts(let texts) = self { texts.list } else { elements(\.string) }
  }
  package var ints: [Int]? {
    if case .numbers(let list) = self { list.map(Int.init) } else { elements(\.int) }
  }
  package var floats: [Float]? {
    if case .fractions(let list) = self { return list }
    return elements { if case .float32(let number) = $0 { number } else { nil } }
  }

  private func elements<Element>(_ element: (GGUFValue) -> Element?) -> [Element]? {
    guard case .array(let list) = self else { return nil }
    let values = list.compactMap(element)
    return values.count == list.count ? values : nil
  }

  /// The kind, for messages.
  var kind: String {
    switch self {
    case .bool: "a boolean"
    case .integer, .large: "an integer"
    case .float32, .float64: "a float"
    case .string: "a string"
    case .array, .texts, .numbers, .fractions: "an array"
    }
  }
}
