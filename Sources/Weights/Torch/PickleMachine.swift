import FireflyBase

/// Reads a pickle (protocol 2) of named tensors, as torch.save writes a state dict.
///
/// A pickle is a program for a stack machine. This machine has the opcodes that such a program needs and no others, and
/// its calls build `PickleValue`s only: nothing of Python is imported or run. Every length is checked against the bytes
/// left, so what a pickle can make is bounded by its own size.
/// Source: CPython's pickletools.py for the opcodes, torch/_utils.py for the arguments.
struct PickleMachine {
  private enum Opcode: UInt8 {
    case mark = 0x28, emptyTuple = 0x29, stop = 0x2E, binaryInt = 0x4A, binaryInt1 = 0x4B, binaryInt2 = 0x4D
    case none = 0x4E, persistentID = 0x51, reduce = 0x52, unicode = 0x58, emptyList = 0x5D, append = 0x61
    case build = 0x62, global = 0x63, appends = 0x65, get = 0x68, longGet = 0x6A, put = 0x71, longPut = 0x72
    case setItem = 0x73, tuple = 0x74, setItems = 0x75, emptyDictionary = 0x7D, proto = 0x80, tuple1 = 0x85
    case tuple2 = 0x86, tuple3 = 0x87, newTrue = 0x88, newFalse = 0x89, long1 = 0x8A
  }

  /// Names of opcodes that are refused, for messages.
  private static let refused: [UInt8: String] = [
    0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x46: "FLOAT", 0x47: "BINFLOAT", 0x49: "INT", 0x4C: "LONG",
    0x50: "PERSID", 0x53: "STRING", 0x54: "BINSTRING", 0x55: "SHORT_BINSTRING", 0x56: "UNICODE",
    0x69: "INST", 0x6F: "OBJ", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
    0x8C: "SHORT_BINUNICODE",
    0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME",
  ]

  private let path: String
  private let bytes: UnsafeRawBufferPointer
  /// Where the next opcode stands, from the start of `bytes`.
  private(set) var position: Int
  private var opcodeStart = 0
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Lists and dictionaries made; a byte of the pickle makes one, which takes a hundred.
  private var collections = 0
  private static let mostCollections = 1 << 20

  /// - Parameter bytes: The pickle from `start` on; it may be followed by something else.
  init(path: String, bytes: UnsafeRawBufferPointer, start: Int = 0) {
    self.path = path
    self.bytes = bytes
    position = start
  }

  /// Runs to the end of the pickle.
  ///
  /// - Throws: `FireflyError` naming the opcode or global that is refused and where it stands.
  mutating func run() throws -> PickleValue {
    while true {
      opcodeStart = position
      let code = try number(UInt8.self)
      guard let opcode = Opcode(rawValue: code) else {
        throw wrong(
          "an opcode that weights do not need is refused",
          found: PickleMachine.refused[code] ?? "opcode \(code)",
          fix: "Save the tensors alone: torch.save(model.state_dict(), …).")
      }
      if opcode == .stop { return try pop() }
      try step(opcode)
    }
  }

  private mutating func step(_ opcode: Opcode) throws {
    switch opcode {
    case .proto: try checkProtocol()
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .binaryInt: stack.append(.int(Int(try number(Int32.self))))
    case .binaryInt1: stack.append(.int(Int(try number(UInt8.self))))
    case .binaryInt2: stack.append(.int(Int(try number(UInt16.self))))
    case .long1: stack.append(.int(try long()))
    case .unicode: stack.append(.text(try text(count: Int(number(UInt32.self)))))
    case .emptyList: stack.append(.list(try counted(PickleList())))
    case .emptyDictionary: stack.append(.dictionary(try counted(PickleDictionary())))
    case .emptyTuple: try pushTuple([])
    case .tuple1: try pushTuple(pop(1))
    case .tuple2: try pushTuple(pop(2))
    case .tuple3: try pushTuple(pop(3))
    case .tuple: try pushTuple(popToMark())
    case .mark: marks.append(stack.count)
    case .append: try append(pop(1))
    case .appends: try append(popToMark())
    case .setItem: try setItems(pop(2))
    case .setItems: try setItems(popToMark())
    case .put: memo[Int(try number(UInt8.self))] = try top()
    case .longPut: memo[Int(try number(UInt32.self))] = try top()
    case .get: stack.append(try remembered(Int(number(UInt8.self))))
    case .longGet: stack.append(try remembered(Int(number(UInt32.self))))
    case .global: stack.append(.global(try global()))
    case .persistentID: stack.append(.storage(try storage(pop())))
    case .reduce: try call()
    case .build: try build()
    case .stop: break
    }
  }

  // MARK: - Reading

  private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
    guard let number = bytes.littleEndian(type, at: position) else { throw wrong("the pickle is truncated") }
    position += Number.bitWidth / 8
    return number
  }

  private mutating func checkProtocol() throws {
    let version = try number(UInt8.self)
    guard version == 2 else {
      throw wrong("the pickle's protocol is not supported", expected: "2", found: "\(version)")
    }
  }

  /// A little-endian number in two's complement of as many bytes as the first one says.
  private mutating func long() throws -> Int {
    let size = Int(try number(UInt8.self))
    guard size <= 8 else { throw wrong("a whole number is too large", found: "\(size) bytes") }
    var value: UInt64 = 0
    var last: UInt8 = 0
    for index in 0..<size {
      last = try number(UInt8.self)
      value |= UInt64(last) << UInt64(8 * index)
    }
    if last & 0x80 != 0 && size < 8 { value |= UInt64.max << UInt64(8 * size) }
    return Int(Int64(bitPattern: value))
  }

  private mutating func text(count: Int) throws -> String {
    guard count <= bytes.count - position else { throw wrong("the pickle is truncated") }
    defer { position += count }
    guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
      throw wrong("a string is not UTF-8")
    }
    return text
  }

  /// The text up to the next line feed.
  private mutating func line() throws -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw wrong("the pickle is truncated")
    }
    let text = try text(count: end - position)
    position += 1
    return text
  }

  // MARK: - The stack

  private func top() throws -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw wrong("the stack is empty") }
    return value
  }

  private mutating func pop() throws -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw wrong("the stack is empty") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw wrong("a mark is missing") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func counted<Collection>(_ made: Collection) throws -> Collection {
    collections += 1
    guard collections <= PickleMachine.mostCollections else {
      throw wrong(
        "there are more lists and dictionaries than weights need",
        expected: "at most \(PickleMachine.mostCollections)")
    }
    return made
  }

  private func remembered(_ index: Int) throws -> PickleValue {
    guard let value = memo[index] else { throw wrong("nothing was stored under memo \(index)") }
    return value
  }

  private mutating func pushTuple(_ items: [PickleValue]) throws {
    let tuple = PickleTuple(items)
    guard tuple.depth <= PickleTuple.depthLimit else { throw wrong("tuples are nested too deeply") }
    stack.append(.tuple(tuple))
  }

  private mutating func append(_ items: [PickleValue]) throws {
    guard case .list(let list) = try top() else { throw wrong("items for what is no list") }
    items.forEach(list.append)
  }

  private mutating func setItems(_ items: [PickleValue]) throws {
    guard case .dictionary(let dictionary) = try top(), items.count.isMultiple(of: 2) else {
      throw wrong("members for what is no dictionary")
    }
    for index in stride(from: 0, to: items.count, by: 2) { dictionary.set(items[index], items[index + 1]) }
  }

  // MARK: - Calls

  private mutating func global() throws -> TorchGlobal {
    let (module, name) = (try line(), try line())
    guard let global = TorchGlobal(module: module, name: name) else {
      throw wrong(
        "a Python object that weights do not need is refused",
        expected: "OrderedDict and torch's tensors", found: "\(module).\(name)",
        fix: "Save the tensors alone: torch.save(model.state_dict(), …).")
    }
    return global
  }

  /// `("storage", class, key, device, elements)`, and None in the format before torch 1.6.
  private func storage(_ id: PickleValue) throws -> TorchStorage {
    guard let items = id.items, items.count == 5 || items.count == 6, items[0].text == "storage",
      case .global(.storage(let type)) = items[1], let key = items[2].text, let count = items[4].int,
      count >= 0
    else {
      throw wrong("the reference to a storage is not understood")
    }
    if items.count == 6, case .none = items[5] {
    } else if items.count == 6 {
      throw wrong("a view of a storage in the oldest format is not supported")
    }
    return TorchStorage(type: type, key: key, count: count)
  }

  private mutating func call() throws {
    guard let arguments = try pop().items, case .global(let function) = try pop() else {
      throw wrong("a call of what is no function")
    }
    switch function {
    case .orderedDictionary where arguments.isEmpty:
      stack.append(.dictionary(try counted(PickleDictionary())))
    case .rebuildTensor: stack.append(.tensor(try tensor(arguments)))
    case .rebuildParameter:
      guard let view = arguments.first?.tensor, arguments.count == 3 else {
        throw wrong("the arguments of \(function) are not understood")
      }
      stack.append(.tensor(view))
    default: throw wrong("the call is not understood", found: "\(function) of \(arguments.count) arguments")
    }
  }

  /// `(storage, offset, shape, strides, requires_grad, hooks)`, and metadata in newer files.
  private func tensor(_ arguments: [PickleValue]) throws -> TorchView {
    guard arguments.count == 6 || arguments.count == 7, case .storage(let storage) = arguments[0],
      let offset = arguments[1].int, let shape = arguments[2].ints, let strides = arguments[3].ints,
      shape.count == strides.count
    else {
      throw wrong("the arguments of \(TorchGlobal.rebuildTensor) are not understood")
    }
    return TorchView(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  /// A state dict's attributes (`_metadata`, versions of its modules) are not needed.
  private mutating func build() throws {
    _ = try pop()
    guard case .dictionary = try top() else { throw wrong("attributes of what is no dictionary") }
  }

  private func wrong(
    _ what: String, expected: String? = nil, found: String? = nil, fix: String? = nil
  ) -> FireflyError {
    FireflyError(
      what, at: "\(path): byte \(opcodeStart) of the pickle", expected: expected, found: found, fix: fix)
  }
}
