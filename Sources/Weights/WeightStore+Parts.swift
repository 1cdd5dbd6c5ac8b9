// Tensors that are parts of the files' own.

extension WeightStore {
  /// The files' tensors that hold a tensor: itself, or what it is a part of.
  package func names(holding name: String) -> [String] { part(name)?.holders ?? [name] }

  /// The parts of one of the files' tensors, in the order of their names; none where it is the model's own.
  package func parts(in holder: String) -> [TensorPart] {
    parts.filter { $0.holders.contains(holder) }
  }

  /// `tensorNames` with the names of its parts in the place of each tensor that has some.
  package var namesOfParts: [String] {
    let held = Dictionary(grouping: parts) { $0.holders[0] }
    let scales = Set(parts.flatMap { $0.holders.dropFirst() })
    return tensorNames.filter { !scales.contains($0) }.flatMap { held[$0]?.map(\.name) ?? [$0] }
  }
}
