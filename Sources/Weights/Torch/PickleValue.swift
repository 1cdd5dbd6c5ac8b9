/// What a pickle of named tensors consists of; nothing else can be made.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case text(String)
  case global(TorchGlobal)
  case tuple(PickleTuple)
  case list(PickleList)
  case dictionary(PickleDictionary)
  case storage(TorchStorage)
  case tensor(TorchView)

  var int: Int? { if case .int(let number) = self { number } else { nil } }
  var text: String? { if case .text(let text) = self { text } else { nil } }
  var items: [PickleValue]? { if case .tuple(let tuple) = self { tuple.items } else { nil } }
  var tensor: TorchView? { if case .tensor(let view) = self { view } else { nil } }

  /// A tuple of whole numbers, such as a shape.
  var ints: [Int]? {
    guard let items else { return nil }
    let numbers = items.compactMap(\.int)
    return numbers.count == items.count ? numbers : nil
  }

  /// The kind, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a boolean"
    case .int: "a number"
    case .text: "a string"
    case .global(let global): global.description
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}

/// A tuple and how deep it nests: a bound on both keeps damaged files from building towers.
struct PickleTuple {
  let items: [PickleValue]
  let depth: Int

  static let depthLimit = 4

  init(_ items: [PickleValue]) {
    self.items = items
    depth = 1 + (items.map { if case .tuple(let tuple) = $0 { tuple.depth } else { 0 } }.max() ?? 0)
  }
}

/// A list of strings, which the format before torch 1.6 needs; of other items only that there are some is kept.
final class PickleList {
  var texts: [String] = []
  var holdsOthers = false

  func append(_ value: PickleValue) {
    if let text = value.text { texts.append(text) } else { holdsOthers = true }
  }
}

/// A dictionary of tensors by name; of any other member only its key and kind are kept.
final class PickleDictionary {
  var tensors: [(name: String, view: TorchView)] = []
  var firstOther: (key: String, kind: String)?

  func set(_ key: PickleValue, _ value: PickleValue) {
    if let name = key.text, let view = value.tensor {
      tensors.append((name, view))
    } else if firstOther == nil {
      firstOther = (key.text ?? key.kind, value.kind)
    }
  }
}

/// The Python names that torch.save writes for a state dict. Nothing is imported or run: each stands for a shape of
/// arguments that is understood here.
enum TorchGlobal: CustomStringConvertible {
  case orderedDictionary
  case rebuildTensor
  case rebuildParameter
  case storage(StoredType)

  private static let storages: [String: StoredType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
    "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
  ]

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", _):
      guard let type = TorchGlobal.storages[name] else { return nil }
      self = .storage(type)
    default: return nil
    }
  }

  var description: String {
    switch self {
    case .orderedDictionary: "collections.OrderedDict"
    case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
    case .rebuildParameter: "torch._utils._rebuild_parameter"
    case .storage(let type): "torch's storage of \(type)"
    }
  }
}

/// A block of numbers that tensors are views of.
struct TorchStorage {
  let type: StoredType
  /// Names the block in the file.
  let key: String
  /// How many elements the block has.
  let count: Int
}

/// A tensor as torch describes it; strides and offset count elements.
struct TorchView {
  let storage: TorchStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}
