import FireflyBase

/// Counts for `/metrics`, in Prometheus's text format.
final class Metrics: Sendable {
  private struct Counts {
    var answered: [String: Int] = [:]  // by labels
    var promptTokens = 0
    var reusedTokens = 0
    var generatedTokens = 0
    var cancelled = 0
    var failed = 0
    var steps = 0
    var running = 0
    var load = 0
    var gone = 0
    var cacheBytes = 0
    var firstTokens = 0
    var firstTokenSeconds = 0.0
  }

  private let counts = Locked(Counts())

  func answered(path: String, status: Int) {
    counts.withLock { $0.answered["path=\"\(path)\",status=\"\(status)\"", default: 0] += 1 }
  }

  /// Counts an answer that has ended.
  func ended(prompt: Int, reused: Int, generated: Int, isCancelled: Bool) {
    counts.withLock {
      $0.promptTokens += prompt
      $0.reusedTokens += reused
      $0.generatedTokens += generated
      if isCancelled { $0.cancelled += 1 }
    }
  }

  func failedOne() { counts.withLock { $0.failed += 1 } }

  func firstToken(after time: Duration) {
    counts.withLock {
      $0.firstTokens += 1
      $0.firstTokenSeconds += time / .seconds(1)
    }
  }

  func clientGone() { counts.withLock { $0.gone += 1 } }

  /// - Parameter load: answers that run or wait.
  func loaded(_ load: Int) { counts.withLock { $0.load = load } }

  func stepped(running: Int, cacheBytes: Int) {
    counts.withLock {
      $0.steps += 1
      $0.running = running
      $0.cacheBytes = cacheBytes
    }
  }

  /// Answers being generated.
  var running: Int { counts.withLock { $0.running } }

  func text(connections: Int) -> String {
    let counts = counts.withLock { $0 }
    var text = ""
    func add(_ name: String, _ kind: String, _ help: String, _ samples: [(String, String)]) {
      text += "# HELP firefly_\(name) \(help)\n# TYPE firefly_\(name) \(kind)\n"
      for (labels, value) in samples { text += "firefly_\(name)\(labels) \(value)\n" }
    }
    func counter(_ name: String, _ help: String, _ value: Int) {
      add(name, "counter", help, [("", String(value))])
    }
    func gauge(_ name: String, _ help: String, _ value: Int) {
      add(name, "gauge", help, [("", String(value))])
    }
    add(
      "http_responses_total", "counter", "HTTP responses by path and status.",
      counts.answered.sorted { $0.key < $1.key }.map { ("{\($0.key)}", String($0.value)) })
    counter("prompt_tokens_total", "Tokens of prompts.", counts.promptTokens)
    counter("prompt_tokens_reused_total", "Those of them that were known and not read.", counts.reusedTokens)
    counter("generated_tokens_total", "Tokens generated.", counts.generatedTokens)
    counter("clients_gone_total", "Clients that went away before their answer ended.", counts.gone)
    counter("answers_cancelled_total", "Answers cut short because nobody waits for them.", counts.cancelled)
    counter("answers_failed_total", "Answers that ended with an error.", counts.failed)
    counter("steps_total", "Passes of the engine.", counts.steps)
    gauge("answers_running", "Answers being generated.", counts.running)
    gauge("answers_waiting", "Answers waiting for a place.", max(0, counts.load - counts.running))
    gauge("cache_bytes", "Memory of keys and values.", counts.cacheBytes)
    gauge("connections", "Open connections.", connections)
    add(
      "first_token_seconds", "summary", "From the request to the first token.",
      [("_count", String(counts.firstTokens)), ("_sum", String(counts.firstTokenSeconds))])
    return text
  }
}
