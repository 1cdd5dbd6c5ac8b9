import FireflyBase

extension KeyShape {
  /// Why a value is none of a shape.
  struct Fault: Equatable {
    /// Where it lies within the value: `, at place 2, "share"`; empty: the value itself.
    var place = ""
    var expected: String
    var found: String
    var fix: String?
  }

  /// What is wrong with `value`; nil where it is accepted. Of a list the first object that is wrong is told alone.
  func fault(in value: JSONValue) -> Fault? {
    if accepts(value) { return nil }
    if let inner = innerFault(in: value) { return inner }
    let nearest = value.string.flatMap { nearestName(to: $0, among: completions) }
    return Fault(expected: expected, found: value.text(), fix: nearest.map { "Did you mean \"\($0)\"?" })
  }

  private func innerFault(in value: JSONValue) -> Fault? {
    switch self {
    case .either(let shapes): return shapes.lazy.compactMap { $0.innerFault(in: value) }.first
    case .list(let element, _, _):
      for (index, item) in (value.array ?? []).enumerated() where !element.accepts(item) {
        guard var fault = element.innerFault(in: item) else { return nil }
        fault.place = ", at place \(index + 1)\(fault.place)"
        return fault
      }
      return nil
    case .members(let members): return value.object.flatMap { KeyShape.fault(in: $0, members) }
    default: return nil
    }
  }

  private static func fault(in object: [String: JSONValue], _ members: [Member]) -> Fault? {
    let names = members.map(\.name)
    for (name, value) in object.sorted(by: { $0.key < $1.key }) where value != .null {
      guard let member = members.first(where: { $0.name == name }) else {
        let nearest = nearestName(to: name, among: names).map { "Did you mean \"\($0)\"?" }
        return Fault(expected: names.joined(separator: ", "), found: "\"\(name)\"", fix: nearest)
      }
      if var fault = member.shape.fault(in: value) {
        fault.place = ", \"\(name)\"\(fault.place)"
        return fault
      }
    }
    return names.first.map { Fault(expected: "\"\($0)\"", found: JSONValue.object(object).text()) }
  }
}
