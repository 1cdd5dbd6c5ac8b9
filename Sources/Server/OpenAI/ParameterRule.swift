import FireflyBase

/// What becomes of a parameter of a request.
enum ParameterRule: Sendable {
  /// An endpoint reads it.
  case followed
  /// Another name of a parameter that is followed; `absent` is the value that says nothing.
  case alias(String, absent: JSONValue? = nil)
  /// Sent for the client's own ends, or without effect beside what the others must be: no answer depends on it.
  case harmless
  /// Accepted without effect here, which is told unless the value is one that changes nothing anywhere; the sentence says why.
  case told(String, unless: [JSONValue] = [])
  /// Not supported: accepted only with these values, at which it does nothing.
  case only([JSONValue])
  /// Refused whatever it is; the sentence says what to do.
  case refused(String)
}

/// The parameters of a path by their names; what is in none of it is refused as unknown.
typealias ParameterTable = [String: ParameterRule]

extension Parameters {
  /// The members as the table wants them: others' names of parameters become ours.
  ///
  /// - Throws: `APIError` naming a parameter that the table does not know or does not allow.
  func checked(by table: ParameterTable) throws -> Parameters {
    var checked = self
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      switch table[name] {
      case nil: throw unknown(name, among: table.keys)
      case .followed, .harmless: break
      case .told(let why, let values):
        guard !values.contains(where: value.isSame) else { continue }
        warnings.add("\"\(given(name))\" has no effect here: \(why)")
      case .only(let values): try refuse(name, unless: values)
      case .refused(let why):
        throw APIError.invalid(
          "The parameter \"\(given(name))\" is not supported. \(why)", given(name),
          code: "unsupported_parameter")
      case .alias(let own, let absent):
        checked.members[name] = nil
        if let absent, value.isSame(absent) { continue }
        guard checked.members[own] == nil else {
          throw APIError.invalid(
            "\"\(given(name))\" and \"\(checked.given(own))\" are one parameter; give one.", given(name))
        }
        checked.members[own] = value
        checked.spelt[own] = name
      }
    }
    return checked
  }

  /// The members of an object within the body, as its table wants them.
  ///
  /// - Parameter place: of the object, for example `messages[0]`.
  /// - Throws: `APIError` for what is no object, and for a member that the table does not know or does not allow.
  func object(_ value: OrderedJSON, _ place: String, _ table: ParameterTable) throws -> Parameters {
    guard let members = value.object else {
      throw APIError.invalid("\"\(place)\" must be an object, not \(value.kind).", place)
    }
    return try Parameters(members, place: place, warnings).checked(by: table)
  }

  private func unknown(_ name: String, among known: some Collection<String>) -> APIError {
    let guess = nearestName(to: name, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
    let shown = String(given(name).prefix(100))
    return .invalid("The parameter \"\(shown)\" is unknown.\(guess)", shown, code: "unknown_parameter")
  }

  /// Refuses a parameter unless its value is one that changes nothing.
  func refuse(_ name: String, unless neutral: [JSONValue]) throws {
    guard let value = members[name], !neutral.contains(where: value.isSame) else {
      return
    }
    let allowed = neutral.map { $0.text() }.joined(separator: " or ")
    throw APIError.invalid(
      "The parameter \"\(given(name))\" is not supported"
        + (allowed.isEmpty ? "." : ", except as \(allowed)."),
      given(name), code: "unsupported_parameter")
  }
}
