import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights
import Foundation

/// A model's tokenizer as a GGUF file holds it. What llama.cpp cannot express is refused: the result must encode as the
/// model's own tokenizer does, but for what stands beside a special token.
struct FolderVocabulary {
  private let vocabulary: GGUFVocabulary
  /// A token beside which the file's vocabulary gives other ids.
  let unlikeToken: String?

  /// - Throws: `FireflyError` naming what no GGUF file can hold.
  init(_ pretrained: Pretrained) throws {
    if let gguf = pretrained.source.gguf {
      vocabulary = try GGUFVocabulary(gguf)
      unlikeToken = nil
      return
    }
    let (json, model) = (
      "\(pretrained.tokenizerPath)/tokenizer.json", "\(pretrained.tokenizerPath)/tokenizer.model"
    )
    let exists = FileManager.default.fileExists(atPath:)
    guard exists(json) || exists(model) else {
      throw FireflyError(
        "the model has neither tokenizer.json nor tokenizer.model to make the GGUF file's vocabulary of",
        at: pretrained.tokenizerPath, fix: "Save the tokenizer with transformers' fast tokenizer.")
    }
    // SentencePiece's own scores; the folder's tokenizer.json, which goes first elsewhere, must agree.
    let candidates =
      exists(model)
      ? [try GGUFVocabulary(sentencePiece: model, pretrained.tokenizer)]
      : try TokenizerDocument(json, pretrained.tokenizer).candidates()
    (vocabulary, unlikeToken) = try FolderVocabulary.closest(candidates, to: pretrained.tokenizer)
  }

  /// The first that encodes everywhere as the tokenizer does, or else beside no special token.
  private static func closest(_ candidates: [GGUFVocabulary], to tokenizer: any Tokenizer) throws -> (
    vocabulary: GGUFVocabulary, unlikeToken: String?
  ) {
    var almost: (vocabulary: GGUFVocabulary, unlikeToken: String?)?
    for candidate in candidates {
      let added = zip(candidate.tokens, candidate.types).filter { TokenType.added.contains($1) }.map(\.0)
      switch try TokenizerProbe.difference(tokenizer, Tokenizers.make(candidate), added: added) {
      case .nowhere: return (candidate, nil)
      case .beside(let token): almost = almost ?? (candidate, token)
      case .inPlainText: continue
      }
    }
    if let almost { return almost }
    let isByteLevel = candidates.first?.model == "gpt2"
    throw FireflyError(
      "llama.cpp would encode texts otherwise than this tokenizer", at: candidates.first?.source,
      expected: isByteLevel
        ? "words cut as one of \(candidates.map(\.pre).joined(separator: ", ")) does"
        : "SentencePiece BPE that changes nothing in a text but its spaces",
      fix: "Use the model with firefly, or give it a tokenizer of that kind.")
  }

  /// The vocabulary with names for the embedding's rows that have no token.
  func padded(to count: Int) throws -> GGUFVocabulary {
    guard vocabulary.tokens.count <= count else {
      throw FireflyError(
        "the tokenizer has more tokens than the model has rows", at: vocabulary.source,
        expected: "at most \(count)", found: "\(vocabulary.tokens.count)")
    }
    var padded = vocabulary
    if padded.types.isEmpty { padded.types = padded.tokens.map { _ in TokenType.normal.rawValue } }
    for id in vocabulary.tokens.count..<count {
      padded.tokens.append("[PAD\(id)]")
      padded.types.append(TokenType.unused.rawValue)
      if !padded.scores.isEmpty { padded.scores.append(-.greatestFiniteMagnitude) }
    }
    return padded
  }
}

/// GGUF's numbers for what a token is.
enum TokenType: Int32 {
  case normal = 1, unknown, control, userDefined, unused, byte

  /// The types of tokens that are looked for in the text itself.
  static let added = Set([unknown, control, userDefined].map(\.rawValue))
}

/// A tokenizer.json, and the tokenizer that was made of it.
private struct TokenizerDocument {
  let path: String
  let root: JSONValue
  let tokenizer: any Tokenizer

  init(_ path: String, _ tokenizer: any Tokenizer) throws {
    self.path = path
    self.tokenizer = tokenizer
    root = try JSONValue.read(path)
    let type = root["model"]?["type"]?.string ?? "BPE"
    guard type == "BPE" else { throw unsupported("model", type, expected: "BPE") }
  }

  private func unsupported(_ key: String, _ found: String, expected: String) -> FireflyError {
    FireflyError(
      "no GGUF vocabulary can be made of this tokenizer", at: "\(path): \(key)", expected: expected,
      found: found)
  }

  /// The vocabularies that may encode the same.
  func candidates() throws -> [GGUFVocabulary] { try isByteLevel ? byteLevel() : [sentencePiece()] }

  private var isByteLevel: Bool {
    [root["pre_tokenizer"], root["decoder"]].contains { step in
      let inner = step?["pretokenizers"]?.array ?? step?["decoders"]?.array ?? []
      return ([step].compactMap { $0 } + inner).contains { $0["type"]?.string == "ByteLevel" }
    }
  }

  // MARK: - The two kinds

  /// A vocabulary for each way of cutting words that llama.cpp and Firefly share.
  private func byteLevel() throws -> [GGUFVocabulary] {
    let merges = try merges().map { "\($0.left) \($0.right)" }
    return ["gpt-2", "smollm", "qwen2", "llama-bpe"].map { pre in
      var vocabulary = vocabulary(model: "gpt2", pre: pre)
      vocabulary.merges = merges
      return vocabulary
    }
  }

  /// A token's score is the rank of the first merge that makes it, downwards: the same order of merging.
  private func sentencePiece() throws -> GGUFVocabulary {
    guard root["model"]?["byte_fallback"]?.bool == true else {
      throw unsupported("model.byte_fallback", "false", expected: "true, or a byte-level tokenizer")
    }
    var vocabulary = vocabulary(model: "llama", pre: "default")
    let merges = try merges()
    vocabulary.scores = vocabulary.tokens.indices.map { -Float(merges.count + $0) }
    for (rank, merge) in merges.enumerated().reversed() {
      guard let id = tokenizer.id(of: merge.left + merge.right) else { continue }
      vocabulary.scores[Int(id)] = -Float(rank)
    }
    for id in vocabulary.tokens.indices where vocabulary.tokens[id].wholeMatch(of: /<0x[0-9A-F]{2}>/) != nil {
      vocabulary.types[id] = TokenType.byte.rawValue
    }
    if let unknown = tokenizer.unk { vocabulary.types[Int(unknown)] = TokenType.unknown.rawValue }
    let first = try tokenizer.encode("a", parseSpecial: false).first.flatMap(tokenizer.token(of:))
    vocabulary.addSpacePrefix = first?.hasPrefix("▁") ?? false
    return vocabulary
  }

  private func vocabulary(model: String, pre: String) -> GGUFVocabulary {
    let ids = 0..<tokenizer.vocabularySize
    let tokens = ids.map { tokenizer.token(of: Int32($0)) }
    var types = tokens.map { ($0 == nil ? TokenType.unused : .normal).rawValue }
    for token in added where types.indices.contains(token.id) {
      types[token.id] = (token.special ? TokenType.control : .userDefined).rawValue
    }
    return GGUFVocabulary(
      model: model, pre: pre, tokens: zip(ids, tokens).map { $1 ?? "[PAD\($0)]" }, types: types,
      bos: tokenizer.bos, eos: tokenizer.eos, pad: tokenizer.pad, unk: tokenizer.unk,
      addBOS: tokenizer.addsBOS, addEOS: tokenizer.addsEOS, chatTemplate: tokenizer.chatTemplate,
      toolTemplate: tokenizer.toolTemplate, source: path
    )
  }

  // MARK: - Parts of the document

  private var added: [(id: Int, token: String, special: Bool)] {
    (root["added_tokens"]?.array ?? []).compactMap { entry in
      guard let id = entry["id"]?.int, let token = entry["content"]?.string else { return nil }
      return (id, token, entry["special"]?.bool ?? false)
    }
  }

  /// Merges are `"left right"` or `["left", "right"]`.
  private func merges() throws -> [(left: String, right: String)] {
    try (root["model"]?["merges"]?.array ?? []).enumerated().map { rank, merge in
      let pair =
        merge.array?.compactMap(\.string) ?? merge.string?.split(separator: " ").map(String.init) ?? []
      guard pair.count == 2 else {
        throw FireflyError("not a merge", at: "\(path): model.merges[\(rank)]", found: merge.text())
      }
      return (pair[0], pair[1])
    }
  }
}
