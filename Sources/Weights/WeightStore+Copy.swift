import FireflyBase
import FireflyTensors
import Foundation

// What copying a checkpoint needs: the tensors as a model means them, and as they lie in the files.

extension WeightStore {
  /// Names of the model's tensors, layers in the order of their numbers; of a 4-bit matrix only the weight itself.
  package var tensorNames: [String] {
    var parts: Set<String> = []
    for name in names where name.hasSuffix(BitsAndBytes.stateSuffix) {
      let weight = name.dropLast(BitsAndBytes.stateSuffix.count)
      parts.formUnion(BitsAndBytes.partSuffixes.map { weight + $0 })
    }
    return names.filter { !parts.contains($0) }.sorted {
      $0.compare($1, options: [.numeric, .literal]) == .orderedAscending
    }
  }

  /// The tensor's shape, outermost first; of a 4-bit matrix [out, in].
  package func shape(of name: String) throws -> [Int] {
    if let state = try quantState(name) { return state.shape }
    guard let info = info(name) else { throw missingTensor(name) }
    return info.shape
  }

  /// Whether the tensor is a matrix in 4 bits.
  package func isNF4(_ name: String) -> Bool { contains(name + BitsAndBytes.stateSuffix) }

  /// The type that holds what the tensor is: that of the file, what a 4-bit matrix was before, or `blocks` for GGUF's
  /// quantised blocks.
  package func plainType(of name: String, blocks: DType) throws -> StoredType {
    if let state = try quantState(name) { return StoredType(state.dtype) }
    guard let info = info(name) else { throw missingTensor(name) }
    return info.type.isBlock ? StoredType(blocks) : info.type
  }

  /// The tensor as it lies in the file, byte for byte; GGUF's blocks and 4-bit matrices as numbers. Some rows at a time.
  ///
  /// - Parameter blocks: what GGUF's blocks become.
  package func copy(of name: String, blocks: DType) throws -> SafeTensorsWriter.Item {
    let (type, shape) = (try plainType(of: name, blocks: blocks), try shape(of: name))
    let stored = try take(name)
    let release = { self.release(name) }
    if !isNF4(name), stored.hasPlainBytes {
      // A view of a larger block is gathered when its turn comes.
      let pieces =
        stored.layout == .rows
        ? stored.plainBytes().pieces(release: release)
        : [WrittenPiece(release: release, make: stored.plainBytes)]
      return SafeTensorsWriter.Item(name: name, type: type, shape: shape, pieces: pieces)
    }
    guard let dtype = type.dtype else { preconditionFailure("\(type) is neither 4-bit nor GGUF's") }
    let pieces = try strips(of: name).map { rows in
      WrittenPiece(release: release) { try self.tensor(name, shape: shape, rows: rows, as: dtype) }
    }
    return SafeTensorsWriter.Item(name: name, type: type, shape: shape, pieces: pieces)
  }
}
