/// GPT-2's alphabet of bytes: each byte as one printable character (`Ġ` is a space).
enum ByteAlphabet {
  /// The character of each byte.
  static let characters: [Unicode.Scalar] = {
    var characters: [Unicode.Scalar] = []
    var moved: UInt32 = 0x100
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
        characters.append(Unicode.Scalar(byte))
      default:
        Unicode.Scalar(moved).map { characters.append($0) }
        moved += 1
      }
    }
    return characters
  }()

  private static let spellings: [[UInt8]] = characters.map { Array(String($0).utf8) }
  /// The byte of each scalar, −1 where there is none.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x200)
    for (byte, character) in characters.enumerated() { bytes[Int(character.value)] = Int16(byte) }
    return bytes
  }()

  /// The bytes spelt in the alphabet, as UTF-8.
  static func spell(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.flatMap { spellings[Int($0)] } }

  /// The bytes that a token spells; nil when it has a character outside the alphabet.
  static func read(_ token: ArraySlice<UInt8>) -> [UInt8]? {
    token.withUnsafeBytes { token in
      var out: [UInt8] = []
      out.reserveCapacity(token.count)
      var position = 0
      while position < token.count {
        let (scalar, length) = decodeScalar(token, at: position)
        guard scalar < bytes.count, bytes[Int(scalar)] >= 0 else { return nil }
        out.append(UInt8(bytes[Int(scalar)]))
        position += length
      }
      return out
    }
  }
}
