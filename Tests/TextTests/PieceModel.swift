import Foundation

/// Writes a tokenizer.model by hand (the message `ModelProto` of SentencePiece).
struct PieceModel {
  /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  var pieces: [(text: String, score: Float, type: UInt8)] = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)]
  /// 1 unigram, 2 byte pairs, 3 words, 4 characters.
  var kind: UInt8 = 2

  /// A model of single characters, scored in their order.
  init(_ characters: String) {
    for (index, character) in characters.enumerated() { pieces.append((String(character), -Float(index), 1)) }
  }

  var data: Data {
    var out = Data()
    for piece in pieces {
      var message = field(1, Data(piece.text.utf8))
      message += [2 << 3 | 5] + withUnsafeBytes(of: piece.score.bitPattern.littleEndian) { Data($0) }
      message += [3 << 3, piece.type]
      out += field(1, message)
    }
    out += field(2, Data([3 << 3, kind]))
    // A space in front, and none taken away.
    return out + field(3, Data([3 << 3, 1, 4 << 3, 0]))
  }

  private func field(_ number: UInt8, _ bytes: Data) -> Data {
    precondition(bytes.count < 128)
    return [number << 3 | 2, UInt8(bytes.count)] + bytes
  }
}
