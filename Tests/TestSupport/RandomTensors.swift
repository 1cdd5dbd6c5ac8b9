import FireflyTensors
import Foundation

extension Tensor {
  /// Deterministic numbers, uniform in `range`, rounded to `dtype` (float32, bfloat16, float16).
  public static func random(
    _ shape: [Int], _ dtype: DType = .float32, seed: UInt64, in range: ClosedRange<Float> = -1...1
  ) -> Tensor {
    var random = CounterRandom(seed: seed, stream: 0x7e57)
    let values = (0..<shape.reduce(1, *)).map { _ in
      range.lowerBound + (range.upperBound - range.lowerBound) * random.float()
    }
    return Tensor(values, shape).converted(to: dtype)
  }

  /// Deterministic numbers of the normal distribution (Box and Muller 1958).
  public static func normal(
    _ shape: [Int], _ dtype: DType = .float32, seed: UInt64, deviation: Double = 1
  ) -> Tensor {
    var random = CounterRandom(seed: seed, stream: 0x6a55)
    let values = (0..<shape.reduce(1, *)).map { _ in
      let radius = (-2 * log(1 - random.double())).squareRoot()
      return Float(deviation * radius * cos(2 * .pi * random.double()))
    }
    return Tensor(values, shape).converted(to: dtype)
  }

  /// The elements as float32, whatever floating-point type they have.
  public var asFloats: [Float] { converted(to: .float32).floats }
}

/// The tensor's bytes.
public func bytes(_ tensor: Tensor) -> [UInt8] { tensor.withHostBytes { Array($0) } }
