import FireflyBase
import FireflyWeights

/// What an adapter's files hold of its base's tables, embedding and head: where tokens were added before training, or rows
/// of some tokens trained by themselves, they are not the model's.
///
/// PEFT's names: `X.weight` is the module X whole, trained or the base's. Of a trained one the base's is
/// `X.original_module.weight`, of one that is wrapped otherwise `X.base_layer.weight` or `X.token_adapter.base_layer.weight`.
/// `X.token_adapter.trainable_tokens_delta` has the rows of tokens, their values in spite of its name.
struct AdapterTables {
  /// The tensor that has the base's table, by the table's module.
  private(set) var bases: [String: String] = [:]
  /// The tensor that has rows of tokens.
  private(set) var tokenRows: [String: String] = [:]
  /// The modules that are trained whole.
  private(set) var trained: [String] = []
  /// The tensors that are none of a table's.
  private(set) var others: [String] = []

  private static let baseEndings = [
    ".original_module.weight", ".token_adapter.base_layer.weight", ".base_layer.weight",
  ]
  private static let tokensEnding = ".token_adapter.trainable_tokens_delta"
  /// A second copy of what is trained.
  private static let copyEnding = ".modules_to_save.weight"
  private static let pairEndings = [".lora_A.weight", ".lora_B.weight"]

  /// - Parameters:
  ///   - names: those of the adapter's tensors.
  ///   - path: its file.
  /// - Throws: `FireflyError` for a low-rank pair on an embedding.
  init(_ names: [String], _ options: LoRAOptions, at path: String) throws {
    for name in names {
      func module(_ ending: String) -> String? {
        guard name.hasPrefix(LoRAOptions.filePrefix), name.hasSuffix(ending) else { return nil }
        return String(name.dropFirst(LoRAOptions.filePrefix.count).dropLast(ending.count))
      }
      if [".lora_embedding_A", ".lora_embedding_B"].contains(where: name.hasSuffix) {
        throw FireflyError(
          "an embedding's low-rank pair is not supported", at: "\(path): \(name)",
          fix:
            "Merge the adapter with PEFT's merge_and_unload(), or train the embedding by \"modules_to_save\"."
        )
      }
      if module(Self.copyEnding) != nil { continue }
      if let base = Self.baseEndings.lazy.compactMap(module).first {
        bases[base] = name
      } else if let table = module(Self.tokensEnding) {
        tokenRows[table] = name
      } else if !Self.pairEndings.contains(where: name.hasSuffix), let table = module(".weight") {
        if options.saves(table) { trained.append(table) } else { bases[table] = name }
      } else {
        others.append(name)
      }
    }
  }

  /// The modules that any of it is about.
  var modules: Set<String> { Set(bases.keys).union(tokenRows.keys).union(trained) }
}

/// The tokens whose rows an adapter trains by themselves: `trainable_token_indices`.
package struct TokenIndices: Equatable, Sendable {
  /// nil: the embedding's alone are named, and a tied head has the same.
  private let byModule: [String: [Int]]?
  private let all: [Int]

  /// - Throws: `FireflyError` for what is neither a list of ids nor an object of such lists.
  init?(_ keys: KeyReader) throws {
    let key = "trainable_token_indices"
    guard let value = keys.value(key) else { return nil }
    func ids(_ value: JSONValue) throws -> [Int] {
      let ids = value.array?.compactMap(\.int)
      guard let ids, ids.count == value.array?.count, ids.allSatisfy({ $0 >= 0 }) else {
        throw FireflyError(
          "unusable value", at: "\(keys.source): \(key)",
          expected: "a list of token ids, or an object of modules with such lists", found: value.excerpt)
      }
      return ids
    }
    byModule = try value.object?.mapValues(ids)
    all = try byModule == nil ? ids(value) : []
    if all.isEmpty && byModule?.isEmpty != false { return nil }
  }

  /// The ids of a table; nil where it is not named.
  func of(_ module: String) -> [Int]? {
    guard let byModule else { return all }
    return byModule.first { LoRAOptions.matches(module, $0.key) }?.value
  }

  /// Whether it takes a head apart from the embedding that it is tied to: PEFT does where it is named with other tokens.
  func parts(_ head: String, from embedding: String) -> Bool {
    byModule != nil && of(head) != nil && of(head) != of(embedding)
  }
}
