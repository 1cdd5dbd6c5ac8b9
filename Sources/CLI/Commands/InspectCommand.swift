import FireflyBase
import FireflyWeights
import Foundation

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
    lines += Columns.table(facts.map { ["  " + $0.name, shortened($0.value.string ?? $0.value.text())] })
    if !tensors.isEmpty {
      let sums = types.map { "  \($0.type): \($0.count) tensors, \(size($0.bytes))" }
      let total = "\(Readable.grouped(parameters)) parameters in \(tensors.count) tensors, \(size(byteCount))"
      lines += ([total] + sums).map(Language.current.lines)
    }
    if listsTensors {
      lines += Columns.table(tensors.map { ["  " + $0.name, $0.type.description, "\($0.shape)"] })
    }
    let width = Terminal.columns(STDOUT_FILENO)
    return lines.map { line in width.map { Columns.cut(line, to: $0) } ?? line }.joined(separator: "\n")
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

  /// The text on one line, at most 100 columns of it.
  private func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: "⏎")
    return Columns.cut(line, to: 100)
  }

  private func size(_ bytes: Int) -> String {
    let tenths = (Double(bytes) / 1_000_00).rounded() / 10
    return bytes < 100_000 ? "\(Readable.grouped(bytes)) bytes" : "\(tenths) MB"
  }
}
