package enum Language: String, Sendable {
  case english, chinese
}

/// One of the four operations on whole numbers.
package enum Operation: Equatable, Sendable {
  case plus(Int, Int), minus(Int, Int), times(Int, Int), over(Int, Int)

  package var value: Int {
    switch self {
    case .plus(let a, let b): a + b
    case .minus(let a, let b): a - b
    case .times(let a, let b): a * b
    case .over(let a, let b): a / b
    }
  }

  /// The equation. A product with a two-digit factor goes by tens and ones: `12 × 4 = 40 + 8 = 48`.
  package var text: String {
    switch self {
    case .plus(let a, let b): "\(a) + \(b) = \(value)"
    case .minus(let a, let b): "\(a) - \(b) = \(value)"
    case .over(let a, let b): "\(a) ÷ \(b) = \(value)"
    case .times(let a, let b):
      a > 10 && a % 10 != 0
        ? "\(a) × \(b) = \(a / 10 * 10 * b) + \(a % 10 * b) = \(value)" : "\(a) × \(b) = \(value)"
    }
  }
}

/// A word problem with its worked solution; later steps use the results of earlier ones.
package struct Problem: Equatable, Sendable {
  package struct Step: Equatable, Sendable {
    package var label: String
    package var operation: Operation
  }

  package var family: String
  package var language: Language
  package var question: String
  package var steps: [Step]

  package var answer: Int { steps.last?.operation.value ?? 0 }

  /// One line a step, then `#### answer` on its own line.
  package var solution: String { solution(lastLine: steps.last?.operation.text ?? "", answer: answer) }

  /// The same with a wrong last result, a little too large or too small.
  package var mistakenSolution: String {
    let operation = steps.last?.operation.text ?? ""
    let off = 1 + key.utf8.reduce(0) { $0 + Int($1) } % 9
    let wrong = answer > off && off.isMultiple(of: 2) ? answer - off : answer + off
    return solution(lastLine: operation.dropLast("\(answer)".count) + "\(wrong)", answer: wrong)
  }

  private func solution(lastLine: String, answer: Int) -> String {
    let (colon, stop) = language == .english ? (": ", ".") : ("：", "。")
    let lines = steps.enumerated().map { index, step in
      step.label + colon + (index == steps.count - 1 ? lastLine : step.operation.text) + stop
    }
    return (lines + ["#### \(answer)"]).joined(separator: "\n")
  }

  /// The family and the operations without their words: two problems with the same key are the same sum.
  package var key: String { ([family] + steps.map(\.operation.text)).joined(separator: " ") }
}
