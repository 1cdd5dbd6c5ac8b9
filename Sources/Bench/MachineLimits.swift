import FireflyBase
import FireflyTensors
import Foundation

/// What this machine can do at most, measured: the rates that everything else is compared with.
public struct MachineLimits: Sendable {
  public let processor: String
  public let instructionSet: String
  public let threads: Int
  /// FLOP/s of large products, by one thread and by all.
  public let bfloat16Rate: (one: Double, all: Double)
  public let float32Rate: (one: Double, all: Double)
  /// Bytes/s of reading memory in order, by one thread and by all.
  public let readRate: (one: Double, all: Double)

  package init(
    processor: String, instructionSet: String, threads: Int, bfloat16Rate: (one: Double, all: Double),
    float32Rate: (one: Double, all: Double), readRate: (one: Double, all: Double)
  ) {
    self.processor = processor
    self.instructionSet = instructionSet
    self.threads = threads
    self.bfloat16Rate = bfloat16Rate
    self.float32Rate = float32Rate
    self.readRate = readRate
  }

  /// Measures this machine, which takes some three seconds.
  public static func measure() -> MachineLimits {
    MachineLimits(
      processor: processorName(), instructionSet: (try? InstructionSet.current()) ?? "",
      threads: Parallel.threads,
      bfloat16Rate: byThreads { matrixRate(.bfloat16) }, float32Rate: byThreads { matrixRate(.float32) },
      readRate: byThreads { memoryRate() })
  }

  /// FLOP/s of a product of 1,024 rows by a 4,096² matrix in `dtype` on all threads; the median of some.
  public static func matrixRate(_ dtype: DType) -> Double {
    let (m, n, k) = (1024, 4096, 4096)
    let a = Tensor.random([m, k], dtype, seed: 1)
    let b = Tensor.random([n, k], dtype, seed: 2)
    let out = Tensor([m, n], .float32)
    return 2 * Double(m * n * k)
      / Stopwatch.median(of: 5) {
        Ops.matmul(out.matrix, a.matrix, b.matrix, transposeB: true)
      }
  }

  /// Bytes/s of reading 256 MiB in order on all threads; the median of some.
  public static func memoryRate() -> Double {
    let data = Tensor.zeros([64 << 20], .float32)
    return Double(data.byteCount) / Stopwatch.median(of: 5) { _ = Ops.sumOfSquares(data) }
  }

  private static func byThreads(_ measure: () -> Double) -> (one: Double, all: Double) {
    let threads = Parallel.threads
    Parallel.threads = 1
    let one = measure()
    Parallel.threads = threads
    return (one, threads == 1 ? one : measure())
  }

  private static func processorName() -> String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown processor"
  }
}

/// Measures wall time in seconds.
enum Stopwatch {
  static func time(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }

  /// The median of `count` runs after one that does not count.
  static func median(of count: Int, _ body: () throws -> Void) rethrows -> Double {
    try body()
    return middle(try (0..<count).map { _ in try time(body) })
  }

  static func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
