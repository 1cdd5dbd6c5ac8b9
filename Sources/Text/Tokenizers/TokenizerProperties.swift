/// What every tokenizer knows beside its way of splitting text.
struct TokenizerProperties: Sendable {
  var bos: Int32?
  var eos: Int32?
  var pad: Int32?
  var unk: Int32?
  var addsBOS = false
  var addsEOS = false
  var specialIDs: Set<Int32> = []
  var chatTemplate: String?
}

/// A tokenizer whose vocabulary is a `TokenTable`.
protocol TableTokenizer: Tokenizer {
  var table: TokenTable { get }
  var properties: TokenizerProperties { get }
}

extension TableTokenizer {
  public var vocabularySize: Int { table.limit }
  public var bos: Int32? { properties.bos }
  public var eos: Int32? { properties.eos }
  public var pad: Int32? { properties.pad }
  public var unk: Int32? { properties.unk }
  public var addsBOS: Bool { properties.addsBOS }
  public var addsEOS: Bool { properties.addsEOS }
  public var specialIDs: Set<Int32> { properties.specialIDs }
  public var chatTemplate: String? { properties.chatTemplate }

  public func token(of id: Int32) -> String? {
    table.token(of: id).map { String(decoding: $0, as: UTF8.self) }
  }
  public func id(of token: String) -> Int32? { table.id(of: token) }
}
