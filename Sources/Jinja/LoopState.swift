/// The variable `loop` inside a loop.
final class LoopState: JinjaObject {
  var index = 0
  private let items: [JinjaValue]
  private var lastChanged: [JinjaValue]?

  init(_ items: [JinjaValue]) { self.items = items }

  var kind: String { "LoopContext" }

  func attribute(_ name: String) -> JinjaValue? {
    switch name {
    case "index": .int(index + 1)
    case "index0": .int(index)
    case "revindex": .int(items.count - index)
    case "revindex0": .int(items.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == items.count - 1)
    case "length": .int(items.count)
    case "depth": .int(1)  // only recursive loops, which are not supported, go deeper
    case "depth0": .int(0)
    case "previtem": index > 0 ? items[index - 1] : .undefined("there is no previous item")
    case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("there is no next item")
    case "cycle":
      .function(
        JinjaFunction(name: "cycle") { [index] arguments, _ in
          let choices = arguments.positional
          return choices.isEmpty ? .undefined("cycle()") : choices[index % choices.count]
        })
    case "changed":
      .function(
        JinjaFunction(name: "changed") { [self] arguments, _ in
          let values = arguments.positional
          defer { lastChanged = values }
          return .bool(
            lastChanged.map { $0.count != values.count || !zip($0, values).allSatisfy { $0.equals($1) } }
              ?? true)
        })
    default: nil
    }
  }
}
