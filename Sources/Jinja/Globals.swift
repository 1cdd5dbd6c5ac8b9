import FireflyBase
import Foundation

/// The functions that every template has.
enum Globals {
  static var table: [(String, JinjaFunction)] {
    [
      function("namespace") { arguments, _ in
        let namespace = Namespace()
        for case .dictionary(let map) in arguments.positional {
          for entry in map.entries { namespace.members[entry.key] = entry.value }
        }
        for (name, value) in arguments.named { namespace.members[.text(name)] = value }
        return .object(namespace)
      },
      function("dict") { arguments, _ in
        var map = JinjaDictionary()
        for value in arguments.positional {
          guard case .dictionary(let other) = value else {
            throw FireflyError("dict() needs a dictionary", found: value.kind)
          }
          for entry in other.entries { map[entry.key] = entry.value }
        }
        for (name, value) in arguments.named { map[.text(name)] = value }
        return .dictionary(map)
      },
      function("range", range),
      function("raise_exception") { arguments, _ in
        let message = try arguments.bind("raise_exception", ["message"])["message"]?.printed.text ?? ""
        throw FireflyError("the chat template refuses this conversation: \(message)")
      },
      function("strftime_now") { arguments, interpreter in
        let format = try arguments.bind("strftime_now", ["format"], required: 1).text("format")
        return .text(formatted(interpreter.now, format.text))
      },
    ]
  }

  private static func function(
    _ name: String, _ body: @escaping (CallArguments, Interpreter) throws -> JinjaValue
  ) -> (String, JinjaFunction) {
    (name, JinjaFunction(name: name, body: body))
  }

  /// Python's `range`, at most 100,000 numbers as in Jinja's sandbox.
  private static func range(_ arguments: CallArguments, _ interpreter: Interpreter) throws -> JinjaValue {
    let numbers = try arguments.positional.map { value in
      guard let number = value.integer else {
        throw FireflyError("range() needs whole numbers", found: value.kind)
      }
      return number
    }
    guard (1...3).contains(numbers.count), arguments.named.isEmpty else {
      throw FireflyError("range() needs one to three numbers", found: "\(numbers.count)")
    }
    let (start, end) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
    let step = numbers.count == 3 ? numbers[2] : 1
    guard step != 0 else { throw FireflyError("range()'s step cannot be 0") }
    let span = end.subtractingReportingOverflow(start)
    let most = 100_000
    guard !span.overflow, span.partialValue / step < most else {
      throw FireflyError("range() is too long", expected: "at most \(most) numbers")
    }
    return .list(stride(from: start, to: end, by: step).map { .int($0) })
  }

  /// C's `strftime` in the local time zone, English names.
  private static func formatted(_ date: Date, _ format: String) -> String {
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    var parts = tm()
    localtime_r(&seconds, &parts)
    // A mark at the end tells an empty result from a buffer that was too small.
    var buffer = [CChar](repeating: 0, count: 64 + 32 * format.utf8.count)
    let count = strftime(&buffer, buffer.count, format + ".", &parts)
    return String(decoding: buffer.prefix(max(0, count - 1)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
