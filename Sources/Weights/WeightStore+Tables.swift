import FireflyBase
import FireflyTensors

/// How a model's table of a row for each token, its embedding or its head, shall be read: with other rows than its file has.
package struct ReplacedTable {
  /// The tensor's name in the model.
  package let name: String
  /// Where its rows stand.
  package var store: WeightStore
  package var origin: String
  /// Those that it shall have. Beyond its file's, each is their mean: what transformers' resize_token_embeddings begins with,
  /// but for noise of a variance of 10⁻⁹.
  package var rows: Int
  /// Rows with values of their own: which, and the tensor `[n, C]` of another store that has them.
  package var tokens: (rows: [Int], store: WeightStore, name: String)?

  package init(_ name: String, from store: WeightStore, _ origin: String, rows: Int) {
    (self.name, self.store, self.origin, self.rows) = (name, store, origin, rows)
  }
}

extension WeightStore {
  /// The same tensors but for some tables, which may also be new ones.
  ///
  /// - Throws: `FireflyError` for a table that is missing or no matrix, and for rows that it has not.
  package func replacing(_ tables: [ReplacedTable]) throws -> WeightStore {
    var changed = replaced
    let stored = try tables.map { table in
      let tensor = try StoredTensor(table)
      if tensor.table != nil || table.store !== self { changed.insert(table.name) }
      return tensor
    }
    return WeightStore(self, stored, replaced: changed)
  }

  /// Whether the tensor has other numbers than the model's own files give it.
  package func isReplaced(_ name: String) -> Bool { replaced.contains(name) }
}

extension StoredTensor {
  /// - Throws: `FireflyError` as `WeightStore.replacing`.
  fileprivate init(_ table: ReplacedTable) throws {
    let origin = try table.store.take(table.origin)
    guard origin.info.shape.count == 2, origin.info.shape[0] > 0 else {
      throw FireflyError("the tensor is no table", at: origin.place, found: "\(origin.info.shape)")
    }
    let shape = [table.rows, origin.info.shape[1]]
    self = origin
    info = TensorInfo(
      name: table.name, type: origin.info.type, shape: shape, path: origin.info.path, range: origin.info.range
    )
    var own: [TableRows.Own] = []
    if let tokens = table.tokens {
      let values = try tokens.store.take(tokens.name)
      try tokens.store.check(values, [tokens.rows.count, shape[1]])
      guard tokens.rows.allSatisfy({ (0..<table.rows).contains($0) }) else {
        throw FireflyError(
          "a row that the table has not", at: values.place, expected: "below \(table.rows)",
          found: "\(tokens.rows.max() ?? 0)")
      }
      own = [TableRows.Own(rows: tokens.rows, values: values)]
    }
    if !own.isEmpty || shape != origin.info.shape || origin.table != nil {
      self.table = TableRows(file: origin, own: own)
    }
  }
}
