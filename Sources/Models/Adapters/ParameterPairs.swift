import FireflyBase
import FireflyWeights

/// The pairs of parameters that `target_parameters` names: PEFT's way to experts whose matrices lie in one tensor a layer,
/// which are one linear layer each here.
///
/// PEFT wraps a module once for each of its parameters, the later ones around the first: where gate_up_proj `[E, 2F, C]` and
/// down_proj `[E, C, F]` have pairs, the file calls these `experts.base_layer.lora_A` and `experts.lora_A`. A is
/// `[E·r, in]`, expert by expert, and B `[out, r·E]`, of each rank the experts in turn. An expert's gate and up have the same
/// A, and B's first and second half of rows.
struct ParameterPairs {
  /// The file's tensors, of experts each one's own.
  let store: WeightStore
  /// The parameters' paths, by the modules that have their pairs.
  private let parameters: [String: String]

  /// Of a module of experts, in the order in which PEFT wraps it, with the linear layers that each parameter holds.
  private static let experts = [
    (parameter: "gate_up_proj", linears: ["gate_proj", "up_proj"]),
    (parameter: "down_proj", linears: ["down_proj"]),
  ]
  private static let (a, b) = (".lora_A.weight", ".lora_B.weight")
  private static let wrapped = ".base_layer"

  /// - Parameter options: the file's, whose patterns are of the parameters' paths.
  /// - Throws: `FireflyError` for tensors that do not belong together.
  init(_ file: WeightStore, _ targets: AdapterTargets, _ options: LoRAOptions) throws {
    var (views, parameters): ([TensorView], [String: String]) = ([], [:])
    for name in file.names where name.hasPrefix(LoRAOptions.filePrefix) && name.hasSuffix(Self.a) {
      let stem = String(name.dropLast(Self.a.count))
      let isInner = stem.hasSuffix(Self.wrapped)
      let module = String(
        stem.dropFirst(LoRAOptions.filePrefix.count).dropLast(isInner ? Self.wrapped.count : 0))
      let wrapped = Self.experts.filter {
        module.hasSuffix(".experts") && targets.containsParameter(module + "." + $0.parameter)
      }
      if let own = isInner ? wrapped.first : wrapped.last {
        let path = module + "." + own.parameter
        let pairs = try Self.views(
          of: file, stem, module, own.linears, rank: options.rank(of: path))
        views += pairs.views
        for linear in pairs.modules { parameters[linear] = path }
      } else if targets.containsParameter(module + ".weight") {
        parameters[module] = module + ".weight"
      }
    }
    store = views.isEmpty ? file : try file.viewing(views)
    self.parameters = parameters
  }

  /// What PEFT's patterns are asked about for the module's pair; nil where that is the module itself.
  func parameter(of module: String) -> String? { parameters[module] }

  private static func views(
    of file: WeightStore, _ stem: String, _ module: String, _ linears: [String], rank: Int
  ) throws -> (views: [TensorView], modules: [String]) {
    let (down, up) = (try file.shape(of: stem + a), try file.shape(of: stem + b))
    guard down.count == 2, up.count == 2, rank > 0, down[0] > 0, down[0] % rank == 0, up[1] == down[0],
      up[0] % linears.count == 0
    else {
      throw FireflyError(
        "the pair of the experts' parameter has an unknown shape", at: "\(file.path): \(stem)",
        expected: "A of a multiple of \(rank) rows, and B of as many columns", found: "\(down) and \(up)")
    }
    let (count, rows) = (down[0] / rank, up[0] / linears.count)
    var (views, modules): ([TensorView], [String]) = ([], [])
    for expert in 0..<count {
      for (turn, linear) in linears.enumerated() {
        let name = "\(module).\(expert).\(linear)"
        modules.append(name)
        views.append(
          TensorView(
            LoRAOptions.filePrefix + name + a, of: stem + a,
            rows: stride(from: expert * rank, to: (expert + 1) * rank, by: 1),
            columns: stride(from: 0, to: down[1], by: 1)))
        views.append(
          TensorView(
            LoRAOptions.filePrefix + name + b, of: stem + b,
            rows: stride(from: turn * rows, to: (turn + 1) * rows, by: 1),
            columns: stride(from: expert, to: up[1], by: count)))
      }
    }
    return (views, modules)
  }
}
