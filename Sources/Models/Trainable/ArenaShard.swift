import FireflyTensors
import FireflyWeights

/// The part of an arena that one of several processes keeps.
///
/// Of values and gradients, which are laid out for all, only what is its own takes memory; a matrix is whole in the compute
/// type alone. Vectors are kept whole: they are small, and computed with in float32.
package struct ArenaShard: Sendable {
  /// Elements of the arena, ascending.
  package let own: [Range<Int>]
  /// `[trainable.arenaCount]` float32
  let values: Tensor
  /// `[trainable.arenaCount]`; others' elements are there between a backward and their sending.
  let gradients: SparseTensor
  /// `[trainable.arenaCount]` in the compute type: of the matrices.
  package let copies: Tensor
  /// nil: the values lie in a file, of which the system takes pages back by itself.
  private let memory: SparseTensor?

  init(_ own: [Range<Int>], of trainable: Trainable, _ memory: ArenaMemory, compute: DType) throws {
    let count = trainable.arenaCount
    self.own = own
    gradients = try SparseTensor(count, memory.gradients)
    copies = try SparseTensor(count, compute).whole
    let sparse = memory.valuesPagedIn == nil ? try SparseTensor(count, .float32) : nil
    self.memory = sparse
    values = try sparse?.whole ?? ArenaMemory.pagedValues(count, in: memory.valuesPagedIn ?? ".")
  }

  /// To be called when all of a parameter's values have been written: renews its copy, and lets go of the others' elements.
  package func keep(_ slot: ParameterSlot) {
    guard slot.isMatrix else { return }
    Ops.convert(slot.slice(of: copies).matrix, slot.slice(of: values).matrix)
    var end = slot.range.lowerBound
    for range in own.map({ $0.clamped(to: slot.range) }) where !range.isEmpty {
      memory?.clear(end..<range.lowerBound)
      end = range.upperBound
    }
    memory?.clear(end..<slot.range.upperBound)
  }

  /// Lets go of gradients that have been sent; of all before a step.
  package func clearGradients(_ range: Range<Int>) { gradients.clear(range) }

  /// Renews the own part of the copies.
  package func renewCopies() {
    for range in own {
      Ops.convert(copies.slice(range).matrix, values.slice(range).matrix)
    }
  }
}

extension ParameterSlot {
  /// What products read in the compute type; vectors are read in float32.
  package var isMatrix: Bool { ![.bias, .normWeight, .normBias, .sinks].contains(role) }
}
