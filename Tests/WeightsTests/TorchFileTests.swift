import FireflyBase
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Files of torch.save. Fixtures/torch: state.bin and old.bin hold one state dict in torch's two formats,
/// state.safetensors the same tensors without strides.
@Suite struct TorchFileTests {
  static let fixtures = Fixtures.folder + "/torch"

  private func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(Self.fixtures)/\(name)"))
  }

  private func refusal(_ data: Data) throws -> String {
    let folder = try TemporaryFolder()
    let path = try folder.write(data, to: "x.bin")
    return thrownError { _ = try WeightStore.open(path) }?.description ?? ""
  }

  @Test(arguments: ["state.bin", "old.bin"]) func holdsTheTensorsThatTorchSaved(_ file: String) throws {
    let store = try WeightStore.open("\(Self.fixtures)/\(file)")
    let expected = try WeightStore.open(Self.fixtures + "/state.safetensors")
    #expect(store.names == expected.names)
    for name in expected.names {
      let info = try #require(expected.info(name))
      #expect(store.info(name)?.type == info.type, "\(name)")
      #expect(store.info(name)?.shape == info.shape, "\(name)")
      guard let dtype = info.type.dtype else { continue }
      let tensor = try store.tensor(name, shape: info.shape, as: dtype)
      expectBytes(tensor, bytes(try expected.tensor(name, shape: info.shape, as: dtype)), name)
    }
    #expect(store.names.count == 16)
  }

  /// Views with strides are converted as well as copied.
  @Test func convertsStridedViews() throws {
    let store = try WeightStore.open(Self.fixtures + "/state.bin")
    let expected = try WeightStore.open(Self.fixtures + "/state.safetensors")
    for name in ["transposed", "columns", "cube"] {
      let shape = try #require(expected.info(name)).shape
      let rounded = try expected.tensor(name, shape: shape, as: .float32).floats.map(bfloat16Bits)
      expectBytes(try store.tensor(name, shape: shape, as: .bfloat16), littleEndian(rounded), name)
    }
  }

  /// Whether a head is the embedding is asked so; views with strides are copied for it, one after the other.
  @Test func viewsOfOtherNumbersAreNotTheSame() throws {
    let store = try WeightStore.open(Self.fixtures + "/state.bin")
    #expect(try store.isSame("transposed", "transposed"))
    #expect(try !store.isSame("transposed", "negated"))
  }

  @Test func openStoresMapNotRead() throws {
    let store = try WeightStore.open(Self.fixtures + "/state.bin")
    let first = try store.tensor("whole", shape: [6, 8], as: .float32)
    let second = try store.tensor("rows", shape: [2, 8], as: .float32)
    #expect(second.pointer - first.pointer == 8 * 4, "views of one storage share the mapped bytes")
  }

  // MARK: - Folders

  @Test func opensShards() throws {
    let source = try ModelSource.open(Self.fixtures + "/sharded")
    let expected = try WeightStore.open(Self.fixtures + "/state.safetensors")
    #expect(source.weights.names == ["bias", "half", "weight"])
    #expect(
      try source.weights.tensor("weight", shape: [5, 3], as: .float32).floats
        == expected.tensor("weight", shape: [5, 3], as: .float32).floats)
  }

  @Test func safetensorsGoFirst() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "config.json")
    try folder.write(try data("state.bin"), to: "pytorch_model.bin")
    #expect(try ModelSource.open(folder.path).weights.contains("cube"))
    try SafeTensorsWriter.write([("a", Tensor([1], [1]))], to: folder.path + "/model.safetensors")
    #expect(try ModelSource.open(folder.path).weights.names == ["a"])
  }

  // MARK: - What is refused

  @Test func refusesWhatIsNoStateDict() throws {
    let nested = try refusal(data("nested.bin"))
    #expect(nested.contains("epoch") && nested.contains("state_dict"), "\(nested)")
    let module = try refusal(data("module.bin"))
    #expect(module.contains("torch.nn.modules.linear.Linear") && module.contains("byte 2"), "\(module)")
  }

  /// The pickle inside state.bin, replaced by another of the same length or shorter.
  private func replacing(_ pickle: String) throws -> Data {
    var file = try data("state.bin")
    let original = try #require(
      file.range(of: Data("\u{80}\u{2}ccollections\n".unicodeScalars.map { UInt8($0.value) })))
    file.replaceSubrange(
      original.lowerBound..<original.lowerBound + pickle.unicodeScalars.count,
      with: pickle.unicodeScalars.map { UInt8($0.value) })
    return file
  }

  @Test(arguments: [
    ("\u{80}\u{2}cos\nsystem\nX\u{2}\0\0\0ls\u{85}R.", ["os.system", "byte 2"]),
    ("\u{80}\u{2}cbuiltins\neval\n)R.", ["builtins.eval"]),
    ("\u{80}\u{4}\u{95}", ["protocol", "found 4"]),
    ("\u{80}\u{2}(ios\nsystem\n.", ["INST", "byte 3"]),
    ("\u{80}\u{2}ccollections\nOrderedDict\n)\u{81}.", ["NEWOBJ", "byte 28"]),
    ("\u{80}\u{2}\u{93}", ["STACK_GLOBAL"]),
    ("\u{80}\u{2}ccollections\nOrderedDict\n(]t\u{85}R.", ["call", "OrderedDict"]),
    ("\u{80}\u{2}}.", []), ("\u{80}\u{2}K\u{1}.", ["state dict", "a number"]),
    ("\u{80}\u{2}}X\u{1}\0\0\0aK\u{1}s.", ["a", "a tensor", "a number"]),
    ("\u{80}\u{2}X\u{ff}\u{ff}\u{ff}\u{ff}a.", ["truncated"]), ("\u{80}\u{2}h\u{7}.", ["memo 7"]),
    ("\u{80}\u{2}.", ["stack is empty"]), ("\u{80}\u{2}u.", ["mark"]), ("\u{80}\u{2}(0", ["POP"]),
    ("\u{80}\u{2})\u{85}\u{85}\u{85}\u{85}\u{85}\u{85}.", ["nested"]),
    ("\u{80}\u{2}\u{8a}\u{9}123456789.", ["too large"]),
    ("\u{80}\u{2}X\u{1}\0\0\0aQ.", ["reference to a storage"]),
  ])
  func refusesPickles(_ pickle: String, _ says: [String]) throws {
    let file = try replacing(pickle)
    guard !says.isEmpty else {
      let folder = try TemporaryFolder()
      #expect(try WeightStore.open(folder.write(file, to: "x.bin")).names.isEmpty)
      return
    }
    let message = try refusal(file)
    for word in says { #expect(message.contains(word), "\(message)") }
  }

  @Test func refusesOtherFiles() throws {
    #expect(try refusal(Data()).contains("empty"))
    #expect(try refusal(Data("version https://git-lfs.github.com/spec/v1".utf8)).contains("LFS"))
    #expect(try refusal(Data(repeating: 7, count: 600)).contains("torch.save"))
    #expect(try refusal(data("state.bin").dropLast(30)).contains("damaged"))
    #expect(try refusal(data("old.bin").dropLast(30)).contains("truncated"))
  }

  @Test func refusesCompressedEntries() throws {
    var file = try data("state.bin")
    let entry = try #require(file.range(of: Data([0x50, 0x4B, 1, 2])))
    file[entry.lowerBound + 10] = 8
    #expect(try refusal(file).contains("deflate"))
    file[entry.lowerBound + 8] |= 1
    #expect(try refusal(file).contains("encrypted"))
  }

  /// Thousands of damaged files: each gives an error or tensors that can be read.
  @Test(arguments: ["state.bin", "old.bin"]) func survivesDamage(_ name: String) throws {
    let original = try data(name)
    let folder = try TemporaryFolder()
    var random = TestRandom(seed: 11)
    var refused = 0
    for variant in 0..<3000 {
      var file = original
      if variant % 3 == 0 { file = file.prefix(Int.random(in: 0..<file.count, using: &random)) }
      for _ in 0..<Int.random(in: 1...3, using: &random) where !file.isEmpty {
        file[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        let store = try WeightStore.open(folder.write(Data(file), to: "x.bin"))
        for name in store.names {
          guard let info = store.info(name), let dtype = info.type.dtype else { continue }
          _ = bytes(try store.tensor(name, shape: info.shape, as: dtype)).count
        }
      } catch is FireflyError {
        refused += 1
      }
    }
    #expect(refused > 1000 && refused < 3000)
  }
}
