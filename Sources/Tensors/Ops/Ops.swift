/// The one list of operations on tensors.
///
/// Each checks its shapes (a wrong one is a programmer's mistake) and that its operands lie on one device, and hands them
/// to that device. Results do not depend on how many threads there are.
///
/// In the shapes below T is rows (tokens), C columns (channels), "c" the compute type: bfloat16 or float32.
public enum Ops {}

// MARK: - Checking

extension Ops {
  /// The device that all of these lie on.
  static func device(
    _ a: Storage, _ b: Storage? = nil, _ c: Storage? = nil, _ d: Storage? = nil, _ e: Storage? = nil,
    _ f: Storage? = nil, _ g: Storage? = nil
  ) -> any Device {
    let device = a.device
    func check(_ other: Storage?) {
      guard let other else { return }
      precondition(other.device === device, "operands on \(device.name) and on \(other.device.name)")
    }
    check(b)
    check(c)
    check(d)
    check(e)
    check(f)
    check(g)
    return device
  }

  static func checkCompute(_ dtype: DType) {
    precondition(dtype == .float32 || dtype == .bfloat16, "expected bfloat16 or float32, not \(dtype)")
  }

  static func checkFloat32(_ dtype: DType) {
    precondition(dtype == .float32, "expected float32, not \(dtype)")
  }

  static func checkSame(_ a: Matrix, _ b: Matrix) {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "shapes differ: [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)]")
  }

  static func checkCount(_ tensor: Tensor, _ count: Int, _ name: String) {
    checkFloat32(tensor.dtype)
    precondition(tensor.count == count, "\(name): expected \(count) elements, found shape \(tensor.shape)")
  }
}
