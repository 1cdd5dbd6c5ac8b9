import CCard
import FireflyTensors

extension DType {
  /// The card's name of a floating-point type.
  var code: Int32 {
    precondition(
      self == .float32 || self == .bfloat16 || self == .float16, "\(self) is not a floating-point type")
    return Int32(rawValue)
  }
}

extension Matrix {
  /// As kernels write it.
  var output: card_out { card_out(at: pointer, stride: Int64(stride), type: dtype.code) }
  /// As kernels read it.
  var input: card_in { card_in(at: pointer, stride: Int64(stride), type: dtype.code) }

  /// The first element of a float32 matrix.
  var float32: UnsafeMutablePointer<Float> {
    precondition(dtype == .float32, "expected float32, not \(dtype)")
    return pointer.assumingMemoryBound(to: Float.self)
  }
}

extension Tensor {
  var float32: UnsafeMutablePointer<Float> {
    precondition(dtype == .float32, "expected float32, not \(dtype)")
    return pointer.assumingMemoryBound(to: Float.self)
  }
}

extension NF4Tensor {
  /// As kernels read it; holds as long as the matrix lives.
  var onCard: card_nf4 {
    var view = card_nf4(
      codes: codes.pointer.assumingMemoryBound(to: UInt8.self), absmax: nil, absmax_codes: nil,
      nested_absmax: nil, nested_map: nil, columns: Int64(inputs), nested_offset: 0, type: originalDType.code)
    switch scales {
    case .plain(let absmax):
      view.absmax = UnsafePointer(absmax.float32)
    case .nested(let codes, let absmax, let map, let offset):
      view.absmax_codes = UnsafePointer(codes.pointer.assumingMemoryBound(to: UInt8.self))
      view.nested_absmax = UnsafePointer(absmax.float32)
      view.nested_map = UnsafePointer(map.float32)
      view.nested_offset = offset
    }
    return view
  }
}
