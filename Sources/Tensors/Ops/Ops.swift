/// The one list of operations on tensors.
///
/// Each checks its shapes (a wrong one is a programmer's mistake) and that its operands lie on one device, and hands them
/// to that device. Results do not depend on how many threads there are.
///
/// In the shapes below T is rows (tokens), C columns (channels), "c" the compute type: bfloat16 or float32,
/// on a card float16 too.
package enum Ops {}

// MARK: - Checking

extension Ops {
  /// The device that all of these lie on. Inlined: generating a token is some five hundred operations.
  @inline(__always)
  static func device(
    _ a: Storage, _ b: Storage? = nil, _ c: Storage? = nil, _ d: Storage? = nil, _ e: Storage? = nil,
    _ f: Storage? = nil, _ g: Storage? = nil
  ) -> any Device {
    let device = a.device
    if let b, b.device !== device { apart(device, b.device) }
    if let c, c.device !== device { apart(device, c.device) }
    if let d, d.device !== device { apart(device, d.device) }
    if let e, e.device !== device { apart(device, e.device) }
    if let f, f.device !== device { apart(device, f.device) }
    if let g, g.device !== device { apart(device, g.device) }
    return device
  }

  @inline(never)
  private static func apart(_ a: any Device, _ b: any Device) -> Never {
    preconditionFailure("operands on \(a.name) and on \(b.name)")
  }

  static func checkCompute(_ dtype: DType) {
    precondition(
      dtype == .float32 || dtype == .bfloat16 || dtype == .float16, "expected a compute type, not \(dtype)")
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
