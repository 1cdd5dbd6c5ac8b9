import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Importance matrices in llama.cpp's files: tools/reference/quantize_fixtures.py writes the fixtures.
@Suite struct ImportanceFileTests {
  private static let folder = Fixtures.tests + "ConversionTests/Fixtures/quantized"
  private static let text = "Tom has 3 apples and buys 4 more. 几个苹果？\nHow many apples does Tom have? "

  /// What a run over a text finds, written and read again, quantises to the same bytes but for a few.
  @Test func whatIsWrittenIsReadAgain() throws {
    try inTemporaryFolder { folder in
      try AtomicFile.write(Data(String(repeating: Self.text, count: 20).utf8), to: folder + "/text.txt")
      let pretrained = try Pretrained.open(Fixtures.model)
      let made = try ImportanceMatrix(of: folder + "/text.txt", by: pretrained, compute: .float32)
      try made.write(to: folder + "/matrix.gguf", for: pretrained)
      let read = try ImportanceMatrix(file: folder + "/matrix.gguf", for: pretrained)
      try GGUFExporter(pretrained, type: .q5_0, importance: made).write(to: folder + "/made.gguf")
      try GGUFExporter(pretrained, type: .q5_0, importance: read).write(to: folder + "/read.gguf")
      try GGUFExporter(pretrained, type: .q5_0).write(to: folder + "/plain.gguf")
      let (a, b) = (try GGUFFile(folder + "/made.gguf"), try GGUFFile(folder + "/read.gguf"))
      // Sums over the rows are rounded, so a code in between may fall to the other side.
      let (same, different) = (try unlike(a, b), try unlike(a, GGUFFile(folder + "/plain.gguf")))
      #expect(same < 0.01 && different > 0.05, "\(same), \(different)")
      #expect(b.metadata["quantize.imatrix.file"]?.string == folder + "/matrix.gguf")
      for key in ["dataset", "entries_count", "chunks_count"] {
        #expect(a.metadata["quantize.imatrix.\(key)"] == b.metadata["quantize.imatrix.\(key)"])
      }
      let refused = thrownError { try made.write(to: folder + "/matrix.gguf", for: pretrained) }
      #expect(refused?.what == "there is something already")
    }
  }

  /// The share of the layers' bytes that differ.
  private func unlike(_ one: GGUFFile, _ other: GGUFFile) throws -> Double {
    let pairs = zip(one.tensors, other.tensors).filter { $0.0.name.hasPrefix("blk.") }.flatMap {
      zip(bytes(one.bytes(of: $0)), bytes(other.bytes(of: $1)))
    }
    return Double(pairs.filter { $0 != $1 }.count) / Double(pairs.count)
  }

  /// Both forms of the same numbers; the older one keeps means times calls.
  @Test func bothFormsAreRead() throws {
    let new = try GGUFImportance(Self.folder + "/importance.gguf")
    let old = try GGUFImportance(Self.folder + "/importance.dat")
    #expect(new.means.count == 3 && new.means.keys == old.means.keys)
    for (name, values) in new.means {
      assertClose(old.means[name] ?? [], values, Tolerance(relative: 1e-6), name)
    }
    #expect(new.chunks == 3 && old.chunks == 3)
    #expect(new.datasets == ["a text.txt"] && old.datasets == ["a text.txt"])
    // Of two experts one saw no row.
    let experts = new.means["blk.0.ffn_up_exps.weight"] ?? []
    #expect(experts.prefix(4) == [0.5, 1, 1.5, 2] && experts.suffix(4) == [1, 1, 1, 1])
  }

  @Test(arguments: ["importance.gguf", "importance.dat"]) func damagedFilesAreRefused(_ name: String) throws {
    try inTemporaryFolder { folder in
      let whole = try MappedFile("\(Self.folder)/\(name)").data
      for count in stride(from: 0, to: whole.count - 34, by: 7) {
        try whole.prefix(count).write(to: URL(filePath: folder + "/cut"))
        #expect(thrownError { _ = try GGUFImportance(folder + "/cut") } != nil, "\(count) bytes")
      }
    }
  }

  @Test func anotherModelsMatrixIsRefused() throws {
    let refused = thrownError {
      _ = try ImportanceMatrix(file: Self.folder + "/importance.gguf", for: Pretrained.open(Fixtures.model))
    }
    #expect(refused?.what == "the importance matrix is of another model")
    #expect(thrownError { _ = try GGUFImportance(Fixtures.model + "/config.json") } != nil)
  }
}
