import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Tokenizers in folders as models come in: what the files beside the vocabulary change.
@Suite struct TokenizerFolderTests {
  /// Loads a folder that holds `files` by name.
  private func load(_ files: [String: Data]) throws -> any Tokenizer {
    try inTemporaryFolder { folder in
      for (name, data) in files { try AtomicFile.write(data, to: folder + "/" + name) }
      return try Tokenizers.load(folder)
    }
  }

  private func fixture(_ name: String) throws -> Data {
    try MappedFile(TokenizerTests.fixtures + "/" + name).data
  }

  @Test func chatGLMsTokensFollowThePieces() throws {
    let model = PieceModel("▁isopryl")
    let tokenizer = try load([
      "tokenizer.model": model.data,
      "tokenizer_config.json": Data(
        """
        {"tokenizer_class": "ChatGLMTokenizer", "eos_token": "</s>",
         "added_tokens_decoder": {"12": {"content": "[gMASK]", "special": false}, "14": {"content": "sop"}}}
        """.utf8),
    ])
    let first = Int32(model.pieces.count)
    let names = [
      "[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", "<|system|>", "<|user|>", "<|assistant|>",
      "<|observation|>",
    ]
    #expect(names.map(tokenizer.id(of:)) == (0..<9).map { first + $0 })
    #expect(tokenizer.specialIDs.isSuperset(of: (0..<9).map { first + $0 }))
    #expect(
      try tokenizer.encode("[gMASK]sop<|user|>", parseSpecial: true) == [first + 1, first + 3, first + 6])
    // "sop" inside a word is text.
    let word = try tokenizer.encode("isopropyl", parseSpecial: true)
    #expect(tokenizer.decode(word, skipSpecial: true) == "isopropyl")
    #expect(word.allSatisfy { $0 < first })
    #expect(try tokenizer.encode("sop", parseSpecial: false).count == 4)
    #expect(!tokenizer.addsBOS)
    #expect(tokenizer.pad == tokenizer.unk)
    #expect(tokenizer.eos == 2)
  }

  @Test func internLM2sChatTokensTakeUnusedPieces() throws {
    var model = PieceModel("▁a")
    model.pieces += [("[UNUSED_TOKEN_145]", 0, 4), ("[UNUSED_TOKEN_146]", 0, 4)]
    let config = Data(#"{"tokenizer_class": "InternLM2Tokenizer"}"#.utf8)
    let tokenizer = try load(["tokenizer.model": model.data, "tokenizer_config.json": config])
    #expect(tokenizer.id(of: "<|im_end|>") == 5)
    #expect(tokenizer.id(of: "<|im_start|>") == 6)
    #expect(try tokenizer.encode("<|im_start|>a<|im_end|>", parseSpecial: true) == [6, 3, 4, 5])
    #expect(tokenizer.decode([6, 3, 4, 5], skipSpecial: true) == "a")
    #expect(tokenizer.addsBOS)
  }

  @Test func addedTokensOfTheConfigAreFound() throws {
    let config = Data(
      """
      {"added_tokens_decoder": {"5": {"content": "<|im_end|>", "special": true}, "6": {"content": "<tool>"}},
       "eos_token": "<|im_end|>", "add_bos_token": false, "add_eos_token": true}
      """.utf8)
    let tokenizer = try load(["tokenizer.model": PieceModel("▁a").data, "tokenizer_config.json": config])
    #expect(tokenizer.eos == 5)
    #expect(!tokenizer.addsBOS)
    #expect(tokenizer.addsEOS)
    #expect(tokenizer.vocabularySize == 7)
    #expect(try tokenizer.encode("a<|im_end|><tool>", parseSpecial: true) == [3, 4, 5, 6])
    #expect(try tokenizer.encode("<tool>", parseSpecial: false) == [6])
    #expect(tokenizer.decode([3, 4, 5, 6], skipSpecial: true) == "a<tool>")
  }

  /// transformers would add them behind the model's rows.
  @Test func specialTokensThatTheVocabularyLacksAreTold() throws {
    func notes(_ config: String) throws -> [String] {
      try load(["tokenizer.model": PieceModel("▁a").data, "tokenizer_config.json": Data(config.utf8)]).notes
    }
    let told = try notes(
      #"{"eos_token": "<end>", "unk_token": "<unk>", "extra_special_tokens": ["<x>", "<end>"]}"#)
    #expect(told.count == 1 && told[0].hasSuffix("<end>, <x>"), "\(told)")
    #expect(try notes(#"{"eos_token": "</s>", "pad_token": null}"#).isEmpty)
  }

  @Test(arguments: [("true", [3, 4, 2, 3, 4]), ("false", [3, 4, 2, 4])] as [(String, [Int32])])
  func legacySaysWhetherTextAfterASpecialTokenGetsASpace(_ legacy: String, _ ids: [Int32]) throws {
    let config = Data("{\"legacy\": \(legacy)}".utf8)
    let tokenizer = try load(["tokenizer.model": PieceModel("▁a").data, "tokenizer_config.json": config])
    #expect(try tokenizer.encode("a</s>a", parseSpecial: true) == ids)
  }

  @Test func qwensFolderHasItsTokensFromCode() throws {
    let file = try fixture("qwen.tiktoken")
    let config = Data(#"{"tokenizer_class": "QWenTokenizer", "model_max_length": 8192}"#.utf8)
    let tokenizer = try load(["qwen.tiktoken": file, "tokenizer_config.json": config])
    let ranks = Int32(file.count { $0 == UInt8(ascii: "\n") })
    #expect(tokenizer.id(of: "<|endoftext|>") == ranks)
    #expect(tokenizer.id(of: "<|im_start|>") == ranks + 1)
    #expect(tokenizer.id(of: "<|extra_204|>") == ranks + 207)
    #expect(tokenizer.vocabularySize == Int(ranks) + 208)
    #expect([tokenizer.bos, tokenizer.eos, tokenizer.pad].allSatisfy { $0 == ranks })
    #expect(!tokenizer.addsBOS)
    let ids = try tokenizer.encode("<|im_start|>user\n面包<|im_end|>", parseSpecial: true)
    #expect(ids.first == ranks + 1)
    #expect(tokenizer.decode(ids, skipSpecial: true) == "user\n面包")
  }

  @Test(arguments: ["", "IQ== 0\nIg==", "IQ== 1\n", "I! 0\n", "IQ== 0 0\n", "IQ== 0\nIg== 2\n"])
  func brokenRanksAreNamed(_ text: String) throws {
    let error = #expect(throws: FireflyError.self) { try load(["qwen.tiktoken": Data(text.utf8)]) }
    #expect(error?.description.contains("qwen.tiktoken") == true)
  }

  @Test(arguments: [
    ("llama3.json", true, false), ("metaspace_first.json", true, true), ("bert.json", true, true),
    ("roberta.json", true, true), ("qwen2.json", false, false),
  ])
  func postProcessorsSayWhetherTextsHaveEnds(_ file: String, _ addsBOS: Bool, _ addsEOS: Bool) throws {
    let tokenizer = try load(["tokenizer.json": fixture(file)])
    #expect(tokenizer.addsBOS == addsBOS)
    #expect(tokenizer.addsEOS == addsEOS)
    #expect(!addsBOS || tokenizer.bos != nil)
    #expect(!addsEOS || tokenizer.eos != nil)
  }

  /// tokenizer.json's post-processor decides, as in transformers 5, and what contradicts it is told.
  @Test(arguments: [("llama3.json", true), ("qwen2.json", false)])
  func thePostProcessorGoesBeforeTheConfiguration(_ file: String, _ adds: Bool) throws {
    for said in [true, false] {
      let config = Data("{\"add_bos_token\": \(said)}".utf8)
      let tokenizer = try load(["tokenizer.json": fixture(file), "tokenizer_config.json": config])
      #expect(tokenizer.addsBOS == adds)
      #expect(tokenizer.notes.contains { $0.contains("add_bos_token") } == (said != adds))
    }
  }

  /// Every key that transformers' tokenizers take (tools/reference/known_keys.py), and one that they do not.
  @Test func noKeyOfTheConfigurationPassesUnseen() throws {
    let file = try JSONValue.parse(fixture("keys/tokenizer_config.json"), source: "keys")
    let known = try #require(file["keys"]?.object).keys.sorted()
    #expect(known.count > 30)
    let model = PieceModel("▁a").data
    for key in known {
      let value = key == "model_input_names" ? "[\"x\"]" : "true"
      let read = Result {
        try load(["tokenizer.model": model, "tokenizer_config.json": Data("{\"\(key)\": \(value)}".utf8)])
      }
      // A wrong type is an error, which is seen too.
      guard let tokenizer = try? read.get() else { continue }
      #expect(!tokenizer.notes.contains { $0.contains("not known") }, "\(key)")
    }
    let strange = Data(#"{"new_key": false, "split_special_tokens": true}"#.utf8)
    let notes = try load(["tokenizer.model": model, "tokenizer_config.json": strange]).notes
    #expect(
      notes.contains { $0.contains("new_key") } && notes.contains { $0.contains("split_special_tokens") })
  }

  /// special_tokens_map.json and added_tokens.json, for folders without added_tokens_decoder.
  @Test func noKeyOfTheFilesBesideItPassesUnseen() throws {
    let model = PieceModel("▁a").data
    let roles = ["bos", "eos", "pad", "unk", "cls", "mask", "sep"].map { "\"\($0)_token\": \"</s>\"" }
    let map =
      "{\(roles.joined(separator: ", ")), \"additional_special_tokens\": [], \"extra_special_tokens\": []"
    func notes(_ map: String) throws -> [String] {
      try load(["tokenizer.model": model, "special_tokens_map.json": Data(map.utf8)]).notes
    }
    #expect(try notes(map + "}") == [])
    let strange = try notes(map + #", "image_token": "<image>"}"#)
    #expect(strange.count == 1 && strange[0].contains("image_token"))
    let token =
      #"{"eos_token": {"content": "</s>", "lstrip": false, "normalized": true, "single_word": false"#
    #expect(try notes(token + "}}") == [])
    let cut = try notes(token + #", "rstrip": true, "odd": 1}}"#)
    #expect(cut.count == 2 && cut[0].contains("eos_token: rstrip") && cut[1].contains("odd"))
    // Every key of the other is a token.
    let added = try load(["tokenizer.model": model, "added_tokens.json": Data(#"{"<new>": 5}"#.utf8)])
    #expect(try added.encode("<new>", parseSpecial: false) == [5])
    #expect(throws: FireflyError.self) {
      try load(["tokenizer.model": model, "added_tokens.json": Data(#"{"<new>": "5"}"#.utf8)])
    }
  }

  @Test func aVocabularyOfOldIsTold() throws {
    let error = #expect(throws: FireflyError.self) { try load(["vocab.json": Data("{}".utf8)]) }
    #expect(error?.fix?.contains("save_pretrained") == true)
  }

  @Test func rolesAndListedTokensAreSpecial() throws {
    let config = Data(#"{"eos_token": "bread", "additional_special_tokens": ["seven", "absent"]}"#.utf8)
    let json = Data(
      #"{"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "bread": 1, "seven": 2, "x": 3}}}"#
        .utf8)
    let tokenizer = try load(["tokenizer.json": json, "tokenizer_config.json": config])
    #expect(tokenizer.specialIDs == [1, 2])
    #expect(try tokenizer.encode("xsevenbread", parseSpecial: true) == [3, 2, 1])
    #expect(tokenizer.decode([3, 2, 1, 3], skipSpecial: true) == "x x")
  }

  @Test func charactersGoFromTheEndOfAFusedText() throws {
    let json = Data(
      """
      {"model": {"type": "WordLevel", "vocab": {"a": 0, "-": 1, "--": 2}},
       "decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "-", "stop": 2}]}}
      """.utf8)
    let tokenizer = try load(["tokenizer.json": json])
    #expect(tokenizer.decode([0, 1, 2], skipSpecial: false) == "a-")
    #expect(tokenizer.decode([0, 2, 0, 1], skipSpecial: false) == "a--a")
    #expect(tokenizer.decode([0, 1], skipSpecial: false) == "a")
  }

  /// Two cuts of "▁7ffff" have the same scores in another order; what single precision makes of the sums decides.
  @Test(
    arguments: [
      ([-2.21248, -6.6457944, -5.7959018, -7.7961497], [3, 4, 5, 6]),
      ([-2.2, -4.3, -6.1, -7.8], [3, 4, 6, 5]),
    ] as [([Float], [Int32])])
  func tiesOfTheUnigramModelFallAsInSentencePiece(_ scores: [Float], _ ids: [Int32]) throws {
    var model = PieceModel("")
    model.kind = 1
    for (text, score) in zip(["▁", "7", "f", "fff"], scores) { model.pieces.append((text, score, 1)) }
    let tokenizer = try load(["tokenizer.model": model.data])
    #expect(try tokenizer.encode("7ffff", parseSpecial: false) == ids)
  }

  @Test func aPieceModelMustKeepSentencePiecesRules() throws {
    var words = PieceModel("a")
    words.kind = 3
    var twice = PieceModel("aba")
    twice.kind = 1
    var unknowns = PieceModel("a")
    unknowns.pieces.append(("?", 0, 2))
    var empty = PieceModel("a")
    empty.pieces.append(("", 0, 1))
    for (model, named) in [(words, "word"), (twice, "\"a\""), (unknowns, "unknown"), (empty, "piece 4")] {
      let error = #expect(throws: FireflyError.self) { try load(["tokenizer.model": model.data]) }
      #expect(error?.description.contains("tokenizer.model") == true)
      #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
    }
  }
}
