import FireflyBase
import FireflyTensors
import FireflyWeights

// A model whose embedding and head are read otherwise than its files have them.

extension ModelSource {
  /// The model that an adapter was trained on: with a row for each token that was added to it, with the rows that the adapter
  /// trained by themselves, and with a head of its own where the adapter takes head and embedding apart. The same where its
  /// files say nothing of it.
  ///
  /// - Throws: `FireflyError` where the adapter is another model's.
  package func adapted(to adapter: AdapterFile) throws -> ModelSource {
    let architecture = try Architecture.read(self).architecture
    try adapter.checkTables(of: architecture)
    guard try adapter.needsOwnBase(architecture) else { return self }
    var adapted = try with(
      architecture, rows: try adapter.rows(of: architecture) ?? architecture.vocabularySize,
      unties: adapter.unties(architecture), adapter)
    adapted.adaptedTo = adapter.folder
    return adapted
  }

  /// The model with a head of its own, which begins as the embedding; the same where it has one.
  package func untied() throws -> ModelSource {
    let architecture = try Architecture.read(self).architecture
    guard architecture.tiedHead else { return self }
    return try with(architecture, rows: architecture.vocabularySize, unties: true, nil)
  }

  /// The model with at least so many rows of embedding and head; new ones are the mean of the others.
  package func grown(to rows: Int) throws -> ModelSource {
    let architecture = try Architecture.read(self).architecture
    guard rows > architecture.vocabularySize else { return self }
    return try with(architecture, rows: rows, unties: false, nil)
  }

  private func with(
    _ architecture: Architecture, rows: Int, unties: Bool, _ adapter: AdapterFile?
  ) throws -> ModelSource {
    let (names, isTied) = (architecture.names, architecture.tiedHead)
    let embedding = architecture.storedName(names.embedding, in: weights)
    func table(_ name: String, _ module: String, from own: String) -> ReplacedTable {
      let table = ReplacedTable(name, from: weights, own, rows: rows)
      return adapter?.filling(table, of: module) ?? table
    }
    var tables = [table(embedding, names.module(names.embedding), from: embedding)]
    if !isTied || unties {
      let own = isTied ? embedding : architecture.storedName(names.head, in: weights)
      tables.append(table(isTied ? names.head : own, names.module(names.head), from: own))
    } else if weights.contains(names.head) {
      // A second copy of a tied embedding stays one.
      tables.append(table(names.head, names.module(names.embedding), from: embedding))
    }
    let sizes = ["vocab_size", "padded_vocab_size"].filter { config[$0] != nil }
    var members = config.object ?? [:]
    for key in sizes { members[key] = .int(rows) }
    if unties { members["tie_word_embeddings"] = .bool(false) }
    return try replacing(tables, config: .object(members))
  }

  /// The tables that an adapter's folder has to hold so that it can be used on the model as its files are: those that are not
  /// the files' and that the adapter does not train.
  package func tables(beside trainable: Trainable) throws -> [(name: String, tensor: Tensor)] {
    let architecture = try Architecture.read(self).architecture
    let trained = Set(trainable.slots.map(\.module))
    return try architecture.tables.compactMap { module in
      let name = architecture.storedName(module + ".weight", in: weights)
      let whole = LoRAOptions.filePrefix + module + ".weight"
      guard weights.isReplaced(name), !trainable.slots.contains(where: { $0.name == whole }) else {
        return nil
      }
      let shape = [architecture.vocabularySize, architecture.hiddenSize]
      let type = try weights.plainType(of: name, blocks: .bfloat16).dtype ?? .float32
      let ending = trained.contains(module) ? ".base_layer.weight" : ".weight"
      return (LoRAOptions.filePrefix + module + ending, try weights.tensor(name, shape: shape, as: type))
    }
  }
}

extension Architecture {
  /// The modules with a row for each token.
  var tables: [String] {
    [names.module(names.embedding)] + (tiedHead ? [] : [names.module(names.head)])
  }
}

extension AdapterFile {
  /// Whether the adapter was trained on a model that is not as its files are: with other tables, or other rows of them.
  package func needsOwnBase(_ architecture: Architecture) throws -> Bool {
    try tables.bases.isEmpty == false || !tables.tokenRows.isEmpty || unties(architecture)
      || (rows(of: architecture) ?? architecture.vocabularySize) != architecture.vocabularySize
  }

  /// Whether the adapter takes apart what is one in the model: PEFT does where it trains one of the two, or both.
  func unties(_ architecture: Architecture) -> Bool {
    let (embedding, head) = (
      architecture.names.module(architecture.names.embedding),
      architecture.names.module(architecture.names.head)
    )
    guard architecture.tiedHead else { return false }
    return !options.tiesSaved && (options.saves(embedding) || options.saves(head))
      || tokens?.parts(head, from: embedding) == true
  }

  /// The rows of the tables that the adapter brings; nil where it brings none.
  ///
  /// - Throws: `FireflyError` where they differ.
  func rows(of architecture: Architecture) throws -> Int? {
    let modules = [architecture.names.embedding, architecture.names.head].map(architecture.names.module)
    let names = modules.flatMap { module in
      [
        tables.trained.contains(module) ? LoRAOptions.filePrefix + module + ".weight" : nil,
        tables.bases[module],
      ].compactMap { $0 }
    }
    let rows = try names.map { try store.shape(of: $0)[0] }
    if let first = rows.first, let other = rows.first(where: { $0 != first }) {
      throw FireflyError(
        "the adapter's tables differ in their rows", at: store.path, expected: "\(first)", found: "\(other)")
    }
    return rows.first
  }

  /// The table with what the adapter says of it.
  func filling(_ table: ReplacedTable, of module: String) -> ReplacedTable {
    var table = table
    if let base = tables.bases[module] { (table.store, table.origin) = (store, base) }
    if let name = tables.tokenRows[module], let ids = tokens?.of(module) { table.tokens = (ids, store, name) }
    return table
  }

  /// - Throws: `FireflyError` naming what is there whole and is neither embedding nor head.
  func checkTables(of architecture: Architecture) throws {
    let known = [architecture.names.embedding, architecture.names.head].map(architecture.names.module)
    let stranger = Set(tables.bases.keys).union(tables.tokenRows.keys).subtracting(known).min()
    guard let stranger else { return }
    throw FireflyError(
      "unsupported tensor in an adapter", at: store.path,
      expected: "low-rank pairs, and of whole modules " + known.joined(separator: " and "),
      found: tables.bases[stranger] ?? tables.tokenRows[stranger])
  }
}
