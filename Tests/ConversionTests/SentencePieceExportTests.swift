import FireflyBase
import FireflyConversion
import FireflyPretrained
import FireflyTestSupport
import FireflyText
import FireflyWeights
import Foundation
import Testing

/// Vocabularies of tokenizer.model as GGUF files hold them.
@Suite struct SentencePieceExportTests {
  private static let texts = [
    "Hello, world!", " leading", "two  spaces", "小明有 24 颗糖", "", "a", "<unk> and <s>", "line\nline",
  ]

  /// The tiny model with a SentencePiece tokenizer; `config` is its tokenizer_config.json.
  private func model(_ folder: String, _ config: [String: JSONValue]) throws -> String {
    let copy = folder + "/model"
    try FileManager.default.copyItem(atPath: Fixtures.model, toPath: copy)
    for name in ["tokenizer.json", "chat_template.jinja"] { unlink("\(copy)/\(name)") }
    try FileManager.default.copyItem(
      atPath: Fixtures.tests + "ConversionTests/Fixtures/byte_pairs.model", toPath: copy + "/tokenizer.model")
    try AtomicFile.write(
      Data(JSONValue.object(config).text().utf8), to: copy + "/tokenizer_config.json")
    return copy
  }

  private func exporter(_ model: String) throws -> GGUFExporter {
    try GGUFExporter(
      Pretrained.open(model), type: .f32, adapter: nil, onto: .original, compute: .float32)
  }

  @Test(arguments: [true, false]) func theFileEncodesAsTheFolder(addsEOS: Bool) throws {
    try inTemporaryFolder { folder in
      let path = try model(folder, ["add_bos_token": .bool(true), "add_eos_token": .bool(addsEOS)])
      try exporter(path).write(to: folder + "/a.gguf")
      let (original, file) = (
        try Pretrained.open(path).tokenizer, try Pretrained.open(folder + "/a.gguf").tokenizer
      )
      for text in Self.texts {
        #expect(try file.textTokens(text) == original.textTokens(text), "\(text)")
        #expect(
          try file.encode(text, parseSpecial: false) == original.encode(text, parseSpecial: false), "\(text)")
      }
      #expect(file.addsBOS && file.addsEOS == addsEOS && original.addsEOS == addsEOS)
      #expect(file.unk == original.unk && file.unk.map(file.specialIDs.contains) == true)
      let metadata = try GGUFFile(folder + "/a.gguf").metadata
      #expect(metadata["tokenizer.ggml.model"]?.string == "llama")
    }
  }

  @Test func aDifferenceBesideSpecialTokensIsTold() throws {
    try inTemporaryFolder { folder in
      let path = try model(folder, ["legacy": .bool(false)])
      let exporter = try exporter(path)
      #expect(exporter.unlikeToken != nil)
      try exporter.write(to: folder + "/a.gguf")
      let (original, file) = (
        try Pretrained.open(path).tokenizer, try Pretrained.open(folder + "/a.gguf").tokenizer
      )
      for text in Self.texts where !text.contains("<") {
        #expect(
          try file.encode(text, parseSpecial: true) == original.encode(text, parseSpecial: true), "\(text)")
      }
    }
  }
}
