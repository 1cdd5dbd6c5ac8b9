import FireflyBase
import FireflyWeights

/// `firefly inspect PATH`.
enum InspectCommand {
  private static let path = Positional(
    "PATH",
    "A model folder, an adapter, a checkpoint, a .gguf, .safetensors or .bin file, or a model's or adapter's name."
  )
  private static let listing = Flag("--tensors", "Lists every tensor.")
  private static let json = Flag("--json", "One JSON object, all tensors included.")

  static let verb = Verb(
    "inspect", summary: "Shows what is in a model, an adapter, a checkpoint or a weights file.",
    positionals: [path], options: [listing.declaration, json.declaration]
  ) { arguments in
    let inspection = try Inspection(arguments[path])
    let output = Output()
    try output.line(
      arguments[json]
        ? inspection.json.text(indent: 2) : inspection.text(listsTensors: arguments[listing]))
    try output.flush()
  }
}

extension Inspection {
  fileprivate func text(listsTensors: Bool) -> String {
    var lines = ["\(path): \(kind)"]
    let width = facts.map(\.name.count).max() ?? 0
    for (name, value) in facts {
      lines.append("  " + padded(name, width) + "  " + shortened(value.string ?? value.text()))
    }
    if !tensors.isEmpty {
      let sums = types.map { "  \($0.type): \($0.count) tensors, \(size($0.bytes))" }
      let total = "\(grouped(parameters)) parameters in \(tensors.count) tensors, \(size(byteCount))"
      lines += ([total] + sums).map(Language.current.lines)
    }
    if listsTensors {
      let width = tensors.map(\.name.count).max() ?? 0
      for tensor in tensors {
        lines.append(
          "  \(padded(tensor.name, width))  \(padded(tensor.type.description, 5))  \(tensor.shape)")
      }
    }
    return lines.joined(separator: "\n")
  }

  fileprivate var json: JSONValue {
    let list = tensors.map { tensor in
      JSONValue.object([
        "name": .string(tensor.name), "type": .string(tensor.type.description),
        "shape": .array(tensor.shape.map(JSONValue.int)), "bytes": .int(tensor.range.count),
      ])
    }
    let facts = Dictionary(facts.map { ($0.name, $0.value) }) { first, _ in first }
    return .object([
      "path": .string(path), "kind": .string(kind), "facts": .object(facts), "parameters": .int(parameters),
      "bytes": .int(byteCount), "tensors": .array(list),
    ])
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// The text on one line, at most 100 characters of it.
  private func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: "⏎")
    return line.count > 100 ? line.prefix(99) + "…" : line
  }

  private func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.map { index in
      (index > 0 && (digits.count - index).isMultiple(of: 3) ? "," : "") + String(digits[index])
    }.joined()
  }

  private func size(_ bytes: Int) -> String {
    let tenths = (Double(bytes) / 1_000_00).rounded() / 10
    return bytes < 100_000 ? "\(grouped(bytes)) bytes" : "\(tenths) MB"
  }
}
