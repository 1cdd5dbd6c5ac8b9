import FireflyBase
import FireflyTensors
import Foundation

/// What this machine can do at most, measured: the rates that everything else is compared with.
package struct MachineLimits: Sendable {
  package let processor: String
  /// It is a card, which has no threads that could be counted.
  package let isCard: Bool
  package let instructionSet: String
  package let threads: Int
  /// What its units do by themselves, operations a second by one thread and by all; empty for a card.
  package let units: [(unit: SiliconUnit, rate: (one: Double, all: Double))]
  /// Its caches and memory; empty for a card.
  package let levels: [MemoryLevel]
  /// FLOP/s of large products by the library, by one thread and by all.
  package let bfloat16Rate: (one: Double, all: Double)
  package let float32Rate: (one: Double, all: Double)
  /// The same of a card; nil of a processor.
  package let float16Rate: Double?
  /// Bytes/s of reading memory in order, by one thread and by all.
  package let readRate: (one: Double, all: Double)

  package init(
    processor: String, isCard: Bool = false, instructionSet: String, threads: Int,
    units: [(unit: SiliconUnit, rate: (one: Double, all: Double))] = [], levels: [MemoryLevel] = [],
    bfloat16Rate: (one: Double, all: Double),
    float32Rate: (one: Double, all: Double), float16Rate: Double? = nil, readRate: (one: Double, all: Double)
  ) {
    self.processor = processor
    self.isCard = isCard
    self.instructionSet = instructionSet
    self.threads = threads
    self.units = units
    self.levels = levels
    self.bfloat16Rate = bfloat16Rate
    self.float32Rate = float32Rate
    self.float16Rate = float16Rate
    self.readRate = readRate
  }

  /// FLOP/s of large products in a type, by all threads.
  func rate(of compute: DType) -> Double {
    switch compute {
    case .bfloat16: bfloat16Rate.all
    case .float16: float16Rate ?? float32Rate.all
    default: float32Rate.all
    }
  }

  /// Measures a device, which takes some three seconds.
  package static func measure(_ device: any Device) -> MachineLimits {
    let levels = device.isHost ? MemoryLevel.measureAll() : []
    return MachineLimits(
      processor: device.isHost ? processorName() : device.name, isCard: !device.isHost,
      instructionSet: device.isHost ? (try? InstructionSet.current()) ?? "" : "cuda",
      threads: device.isHost ? Parallel.threads : 1,
      units: device.isHost ? SiliconUnit.all.map { unit in (unit, byThreads(device) { unit.rate() }) } : [],
      levels: levels,
      bfloat16Rate: byThreads(device) { matrixRate(.bfloat16, device) },
      float32Rate: byThreads(device) { matrixRate(.float32, device) },
      float16Rate: device.multipliesFloat16 ? matrixRate(.float16, device) : nil,
      readRate: levels.last?.read ?? byThreads(device) { memoryRate(device) })
  }

  /// FLOP/s of a product of 1,024 rows by a 4,096² matrix in `dtype` on all threads, on a card of 8,192 rows by a square
  /// one; the median of some.
  package static func matrixRate(_ dtype: DType, _ device: any Device) -> Double {
    let (m, n, k) = device.isHost ? (1024, 4096, 4096) : (8192, 8192, 8192)
    let a = Tensor.random([m, k], dtype, seed: 1).on(device)
    let b = Tensor.random([n, k], dtype, seed: 2).on(device)
    let out = Tensor([m, n], device.isHost ? .float32 : dtype, on: device)
    let inARow = device.isHost ? 1 : 10
    return 2 * Double(inARow * m * n * k)
      / device.median(of: 5) {
        for _ in 0..<inARow { Ops.matmul(out.matrix, a.matrix, b.matrix, transposeB: true) }
      }
  }

  /// Bytes/s of reading 2 GiB of a card in order; the median of some.
  private static func memoryRate(_ device: any Device) -> Double {
    let data = Tensor.zeros([512 << 20], .float32, on: device)
    return Double(data.byteCount) / device.median(of: 5) { _ = Ops.sumOfSquares(data) }
  }

  private static func byThreads(_ device: any Device, _ measure: () -> Double) -> (one: Double, all: Double) {
    guard device.isHost else {
      let rate = measure()
      return (rate, rate)
    }
    let threads = Parallel.threads
    Parallel.threads = 1
    let one = measure()
    Parallel.threads = threads
    return (one, threads == 1 ? one : measure())
  }

  static func processorName() -> String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown processor"
  }
}

extension Device {
  /// Seconds until all that `body` asks for is done.
  func time(_ body: () -> Void) -> Double {
    synchronise()
    return Stopwatch.time {
      body()
      synchronise()
    }
  }

  /// The median of `count` runs after one that does not count.
  func median(of count: Int, _ body: () -> Void) -> Double {
    body()
    return Stopwatch.middle((0..<count).map { _ in time(body) })
  }
}
