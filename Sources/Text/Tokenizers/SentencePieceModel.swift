import FireflyBase

/// A tokenizer.model of SentencePiece, read.
///
/// Format: the Protocol Buffers message `ModelProto` of sentencepiece_model.proto: 1 pieces (1 text, 2 score,
/// 3 type), 2 how it was trained, 3 how text is normalised, 5 how decoded text is. Absent fields have the defaults
/// written below.
struct SentencePieceModel {
  enum Kind: Int { case unigram = 1, bpe, word, character }

  enum PieceType: Int { case normal = 1, unknown, control, userDefined, unused, byte }

  struct Piece {
    /// The piece's text: UTF-8, not empty.
    var bytes: ArraySlice<UInt8> = []
    var score: Float = 0
    var type = PieceType.normal
  }

  /// The pieces by their ids.
  var pieces: [Piece] = []
  var kind = Kind.unigram
  var hasByteFallback = false
  var spaceIsSuffix = false
  var addsSpace = true
  var removesExtraSpaces = true
  var marksSpaces = true
  /// The compiled normalisation map; nil when there is none.
  var map: CharacterMap?
  /// The pieces with these roles, where they are of the right type.
  var unknownPiece = "<unk>"
  var bosPiece = "<s>"
  var eosPiece = "</s>"
  var padPiece = "<pad>"

  private let place: String

  /// - Throws: `FireflyError` when the bytes are no such message, or when it breaks SentencePiece's own rules.
  init(_ bytes: UnsafeRawBufferPointer, at place: String) throws {
    self.place = place
    do {
      try ProtocolBuffer.forEachField(of: bytes) { field, value in
        switch (field, value) {
        case (1, .bytes(let message)): pieces.append(try piece(message))
        case (2, .bytes(let message)): try takeTraining(message)
        case (3, .bytes(let message)): try takeNormalization(message)
        case (5, .bytes(let message)): try refuseDecodingMap(message)
        default: break
        }
      }
    } catch is ProtocolBuffer.Malformed {
      throw FireflyError("not a SentencePiece model", at: place)
    }
    try check()
  }

  private func piece(_ message: UnsafeRawBufferPointer) throws -> Piece {
    var piece = Piece()
    try ProtocolBuffer.forEachField(of: message) { field, value in
      switch (field, value) {
      case (1, .bytes(let text)): piece.bytes = Array(text)[...]
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .integer(let number)):
        guard let type = PieceType(rawValue: Int(truncatingIfNeeded: number)) else {
          throw FireflyError("unsupported type of piece", at: place, found: "\(number)")
        }
        piece.type = type
      default: break
      }
    }
    return piece
  }

  private mutating func takeTraining(_ message: UnsafeRawBufferPointer) throws {
    try ProtocolBuffer.forEachField(of: message) { field, value in
      switch (field, value) {
      case (3, .integer(let number)):
        guard let kind = Kind(rawValue: Int(truncatingIfNeeded: number)) else {
          throw FireflyError("unsupported type of model", at: place, found: "\(number)")
        }
        self.kind = kind
      case (24, .integer(let flag)): spaceIsSuffix = flag != 0
      case (35, .integer(let flag)): hasByteFallback = flag != 0
      case (45, .bytes(let text)): unknownPiece = String(decoding: text, as: UTF8.self)
      case (46, .bytes(let text)): bosPiece = String(decoding: text, as: UTF8.self)
      case (47, .bytes(let text)): eosPiece = String(decoding: text, as: UTF8.self)
      case (48, .bytes(let text)): padPiece = String(decoding: text, as: UTF8.self)
      default: break
      }
    }
  }

  private mutating func takeNormalization(_ message: UnsafeRawBufferPointer) throws {
    try ProtocolBuffer.forEachField(of: message) { field, value in
      switch (field, value) {
      case (2, .bytes(let bytes)) where !bytes.isEmpty: map = try CharacterMap(bytes, at: place)
      case (3, .integer(let flag)): addsSpace = flag != 0
      case (4, .integer(let flag)): removesExtraSpaces = flag != 0
      case (5, .integer(let flag)): marksSpaces = flag != 0
      default: break
      }
    }
  }

  private func refuseDecodingMap(_ message: UnsafeRawBufferPointer) throws {
    try ProtocolBuffer.forEachField(of: message) { field, value in
      if case (2, .bytes(let bytes)) = (field, value), !bytes.isEmpty {
        throw FireflyError("unsupported: a map for decoded text (denormalizer_spec)", at: place)
      }
    }
  }

  private func check() throws {
    guard !pieces.isEmpty else {
      throw FireflyError("not a SentencePiece model", at: place, found: "no pieces")
    }
    guard pieces.count <= TokenTable.largestID else {
      throw FireflyError("too many pieces", at: place, found: "\(pieces.count)")
    }
    guard kind == .bpe || kind == .unigram else {
      throw FireflyError(
        "unsupported SentencePiece model", at: place, expected: "bpe or unigram", found: "\(kind)")
    }
    for (id, piece) in pieces.enumerated() {
      guard !piece.bytes.isEmpty, String(validating: piece.bytes, as: UTF8.self) != nil, piece.score.isFinite
      else {
        throw FireflyError(
          "the piece is empty, not UTF-8 or without a score", at: place, found: "piece \(id)")
      }
    }
    guard pieces.count(where: { $0.type == .unknown }) == 1 else {
      throw FireflyError("a model needs exactly one piece for unknown text", at: place)
    }
  }
}

/// The wire format of Protocol Buffers, one message at a time.
enum ProtocolBuffer {
  enum Value {
    case integer(UInt64), fixed32(UInt32), fixed64(UInt64)
    case bytes(UnsafeRawBufferPointer)
  }

  struct Malformed: Error {}

  /// Calls `body` with the number and the value of every field, in the message's order.
  static func forEachField(of message: UnsafeRawBufferPointer, _ body: (UInt64, Value) throws -> Void) throws
  {
    var position = 0
    while position < message.count {
      let key = try varint(message, &position)
      switch key & 7 {
      case 0: try body(key >> 3, .integer(try varint(message, &position)))
      case 1:
        let part = try take(8, message, &position)
        try body(key >> 3, .fixed64(UInt64(littleEndian: part.loadUnaligned(as: UInt64.self))))
      case 2:
        let count = try varint(message, &position)
        guard count <= UInt64(message.count) else { throw Malformed() }
        try body(key >> 3, .bytes(try take(Int(count), message, &position)))
      case 5:
        let part = try take(4, message, &position)
        try body(key >> 3, .fixed32(UInt32(littleEndian: part.loadUnaligned(as: UInt32.self))))
      default: throw Malformed()
      }
    }
  }

  private static func take(
    _ count: Int, _ message: UnsafeRawBufferPointer, _ position: inout Int
  ) throws -> UnsafeRawBufferPointer {
    guard count <= message.count - position else { throw Malformed() }
    defer { position += count }
    return message.part(position..<(position + count))
  }

  private static func varint(_ message: UnsafeRawBufferPointer, _ position: inout Int) throws -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < message.count else { throw Malformed() }
      let byte = message[position]
      position += 1
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw Malformed()
  }
}
