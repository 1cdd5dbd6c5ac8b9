import FireflyBase
import FireflyTensors
import Foundation

/// One safetensors file, mapped. Everything the header says is checked before any tensor is given out.
///
/// The format: eight bytes, the header's length as a little-endian number; the header, a JSON object
/// `{"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, "__metadata__": {"format": "pt"}}`, padded
/// with spaces; the data. Offsets count from the data's start; tensors lie there without gap or overlap.
/// Source: huggingface.co/docs/safetensors.
struct SafeTensorsFile {
  let path: String
  /// The tensors by where they lie in the file.
  let tensors: [StoredTensor]
  /// `__metadata__`, empty when absent.
  let metadata: [String: String]

  /// The longest header that readers of this format accept, in bytes.
  static let headerLimit = 100_000_000

  init(_ path: String) throws {
    self.path = path
    let file = try MappedFile(path)
    let header = try SafeTensorsFile.header(of: file)
    var infos: [TensorInfo] = []
    var metadata: [String: String] = [:]
    for (name, value) in header.members {
      if name == "__metadata__" {
        metadata = try SafeTensorsFile.metadata(value, path: path)
      } else {
        infos.append(try SafeTensorsFile.info(name, value, path: path, data: header.data))
      }
    }
    infos.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    try SafeTensorsFile.checkContiguous(infos, path: path, data: header.data)
    self.metadata = metadata
    tensors = infos.map { StoredTensor(info: $0, file: file) }
  }

  /// The header's members and where the data lies in the file.
  private static func header(of file: MappedFile) throws -> (members: [String: JSONValue], data: Range<Int>) {
    let (path, bytes) = (file.path, file.bytes)
    guard !bytes.isEmpty else { throw FireflyError("the file is empty", at: path, expected: "safetensors") }
    try file.refuseLFSPointer()
    guard bytes.count >= 8 else {
      throw FireflyError(
        "too short for a safetensors file", at: path, expected: "at least 8 bytes", found: "\(bytes.count)")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(headerLimit, bytes.count - 8)) else {
      throw FireflyError(
        "the safetensors header does not fit: the file is truncated or not safetensors", at: path,
        expected: "a header of at most \(min(headerLimit, bytes.count - 8)) bytes", found: "\(length)")
    }
    let end = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<end])
    let json = try JSONValue.parse(Data(text), source: "\(path) (header)")
    guard let members = json.object else {
      throw FireflyError("the safetensors header is not an object", at: path, found: json.kind)
    }
    if let key = duplicateKey(inJSON: text) {
      throw FireflyError("the safetensors header holds \(key) twice", at: path)
    }
    return (members, end..<bytes.count)
  }

  private static func metadata(_ value: JSONValue, path: String) throws -> [String: String] {
    guard let members = value.object else {
      throw FireflyError(
        "__metadata__ of the safetensors header is wrong", at: path, expected: "an object", found: value.kind)
    }
    return try members.mapValues { member in
      guard let text = member.string else {
        throw FireflyError(
          "a value in __metadata__ of the safetensors header is wrong", at: path, expected: "a string",
          found: member.kind)
      }
      return text
    }
  }

  private static func info(
    _ name: String, _ value: JSONValue, path: String, data: Range<Int>
  ) throws -> TensorInfo {
    func wrong(_ what: String, expected: String, found: String) -> FireflyError {
      FireflyError(what, at: "\(path): \(name)", expected: expected, found: found)
    }
    guard let typeName = value["dtype"]?.string, let shapeList = value["shape"]?.array,
      let offsets = value["data_offsets"]?.array
    else {
      throw wrong(
        "the tensor's entry in the header is incomplete", expected: "dtype, shape and data_offsets",
        found: value.object.map { $0.keys.sorted().joined(separator: ", ") } ?? value.kind)
    }
    guard let type = StoredType(rawValue: typeName), !type.isBlock else {
      let known = StoredType.allCases.filter { !$0.isBlock }.map(\.rawValue).joined(separator: ", ")
      throw wrong("the tensor's dtype is not known", expected: known, found: typeName)
    }
    let shape = shapeList.compactMap(\.int)
    guard shape.count == shapeList.count, let byteCount = type.byteCount(of: shape) else {
      throw wrong(
        "the tensor's shape is not possible", expected: "whole numbers from 0 whose product fits",
        found: value["shape"]?.text() ?? "none")
    }
    let bounds = offsets.compactMap(\.int)
    guard bounds.count == 2, offsets.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1],
      bounds[1] <= data.count
    else {
      throw wrong(
        "the tensor's data_offsets lie outside the file: it is truncated or its header is wrong",
        expected: "begin and end within the \(data.count) bytes of data",
        found: value["data_offsets"]?.text() ?? "none")
    }
    guard bounds[1] - bounds[0] == byteCount else {
      throw wrong(
        "the tensor's size does not follow from its shape",
        expected: "\(byteCount) bytes for \(shape) of \(type)",
        found: "\(bounds[1] - bounds[0])")
    }
    let start = data.lowerBound
    return TensorInfo(
      name: name, type: type, shape: shape, path: path, range: start + bounds[0]..<start + bounds[1])
  }

  /// - Parameter infos: sorted by position.
  private static func checkContiguous(_ infos: [TensorInfo], path: String, data: Range<Int>) throws {
    var end = data.lowerBound
    for info in infos {
      guard info.range.lowerBound == end else {
        throw FireflyError(
          info.range.lowerBound < end
            ? "the tensor's data overlaps another's" : "a gap lies before the tensor's data",
          at: "\(path): \(info.name)", expected: "data_offsets from \(end - data.lowerBound)",
          found: "from \(info.range.lowerBound - data.lowerBound)")
      }
      end = info.range.upperBound
    }
    guard end == data.upperBound else {
      throw FireflyError(
        "bytes follow the last tensor", at: path, expected: "\(end) bytes", found: "\(data.upperBound)")
    }
  }
}

extension MappedFile {
  /// Refuses what git leaves in the place of a large file that was not fetched.
  func refuseLFSPointer() throws {
    guard bytes.starts(with: Array("version https://git-lfs".utf8)) else { return }
    throw FireflyError(
      "the file is a Git LFS pointer, not the weights", at: path,
      fix: "Run git lfs pull in the model's repository.")
  }
}

/// The first key that an object of a JSON text holds twice; nil when there is none.
///
/// A JSON parser keeps one of the two silently. The text must be valid JSON; keys are compared as written.
private func duplicateKey(inJSON text: UnsafeRawBufferPointer) -> String? {
  var seen: [Set<String>] = []
  var lastString: String?
  var index = 0
  while index < text.count {
    switch text[index] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      seen.append([])
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      _ = seen.popLast()
    case UInt8(ascii: "\""):
      let start = index + 1
      index = start
      while index < text.count, text[index] != UInt8(ascii: "\"") {
        index += text[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      lastString = String(decoding: text[start..<min(index, text.count)], as: UTF8.self)
    case UInt8(ascii: ":"):
      guard let key = lastString, !seen.isEmpty else { break }
      if !seen[seen.count - 1].insert(key).inserted { return key }
    default:
      break
    }
    index += 1
  }
  return nil
}
