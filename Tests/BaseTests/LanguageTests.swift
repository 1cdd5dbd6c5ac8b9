import FireflyBase
import Testing

@Suite struct LanguageTests {
  private let chinese = Language.chinese

  @Test func aTextIsFoundWhole() {
    #expect(chinese("missing key") == "缺少键")
    #expect(chinese("  missing key ") == "  缺少键 ")
  }

  @Test func aTemplateIsFilled() {
    #expect(chinese("cannot write 12 bytes: No space left on device") == "无法写入 12 字节：设备上没有空间")
    // Places in another order than the English text's.
    #expect(
      chinese("not valid JSON: unexpected \"x\" in line 3, column 5") == "不是有效的 JSON：第 3 行第 5 列，意外的 \"x\"")
  }

  @Test func whatFillsAPlaceIsTranslatedToo() {
    #expect(
      chinese("--top-k: expected a whole number of at least 0, found 'x'") == "--top-k：应为不小于 0 的整数，实际为“x”")
    #expect(chinese("3 rows (a whole number of at least 1)") == "3 行（不小于 1 的整数）")
  }

  @Test func theTemplateThatSaysMostWins() {
    #expect(
      chinese("unknown option --adaptor; did you mean --adapter?") == "未知的选项 --adaptor；你要写的是不是 --adapter？")
    #expect(chinese("row length: mean 61, 60 at 50 %, 93 at most") == "行长度：平均 61，50 % 处为 60，最长 93")
  }

  @Test func sentencesAndPartsAreFoundOneByOne() {
    #expect(chinese("A text that ends the answer. May be repeated.") == "遇到这段文本就结束回答。可以重复给出。")
    #expect(chinese("firefly: the file is empty") == "firefly: 文件是空的")
  }

  @Test(arguments: [
    "", "Nobody has translated this sentence.", "of and or", "The sea of all and none", "你好 世界", "a, b, c",
    "{}", "= x", "missing keys everywhere",
  ])
  func whatTheCatalogueLacksStaysEnglish(_ text: String) { #expect(chinese(text) == text) }

  /// What users name their files must come out as it went in, whatever it looks like.
  @Test(arguments: [
    "a = b", "/tmp/missing key", "{}", "{1}.jsonl", "\"the file is empty\"", "/x of at most 7 rows.json",
    "数据 {2}.jsonl",
    "C:\\new", "%s %d", "/a: b.json",
  ])
  func hostileTextInAPlaceComesOutWhole(_ name: String) {
    #expect(chinese("key that nothing reads, \(name): 3").contains(name))
    #expect(chinese(FireflyError("missing key", at: name, found: name)).contains(name))
    #expect(chinese("reading \(name)").contains(name))
  }

  @Test func aTextAsLongAsAFileIsNotSearched() {
    let text = String(repeating: "a whole number, ", count: 10_000)
    #expect(chinese(text) == text)
  }

  @Test func anErrorIsTranslatedPartByPart() {
    let error = FireflyError(
      "not a value", at: "config.json: top_k", expected: "a whole number of at least 1", found: "\"x\"",
      fix: "Remove it if you know that it does not.")
    #expect(
      chinese(error) == "config.json: top_k: 值不正确（应为不小于 1 的整数，实际为 \"x\"）。如果确知它没有影响，请删除它。")
    #expect(chinese(FireflyError("the file is empty", expected: "JSON")) == "文件是空的（应为 JSON）")
    #expect(Language.english(error) == error.description)
  }

  @Test func anErrorOfSeveralLinesKeepsThem() {
    let error = FireflyError("2 settings are wrong:\n  \"a\" is missing\n  unknown key \"b\"")
    #expect(chinese(error) == "有 2 项设置不正确：\n  缺少 \"a\"\n  未知的键 \"b\"")
  }

  @Test func columnsKeepTheirPlaces() {
    #expect(
      chinese.lines("subject             questions  accuracy\nastronomy                  25   12.00 %")
        == "科目                题数       准确率\nastronomy                  25   12.00 %")
    #expect(
      chinese.lines("step 3/9  loss 0.5  370 tokens/s  10 min 08 s left")
        == "第 3/9 步  loss 0.5  370 词元/秒  剩余 10 分 08 秒")
  }

  @Test func englishIsUntouched() {
    #expect(Language.english("missing key") == "missing key")
    #expect(Language.english.lines("a  b\n  c") == "a  b\n  c")
  }

  @Test(arguments: [
    ([:], false), (["LANG": "zh_CN.UTF-8"], true), (["LANG": "C"], false), (["LANG": "zh"], true),
    (["LC_ALL": "C", "LANG": "zh_CN.UTF-8"], false), (["LC_MESSAGES": "zh_TW", "LANG": "en_GB"], true),
    (["LC_ALL": "", "LANG": "zh_CN"], true), (["FIREFLY_LANG": "zh", "LC_ALL": "C"], true),
    (["FIREFLY_LANG": "en", "LC_ALL": "zh_CN.UTF-8"], false), (["LANG": "zha_XX"], false),
    (["LANG": "ZH-Hans"], true),
    (["LANG": "zh_CN.utf8@x"], true), (["LANG": "zh_CN.GBK"], false),
  ])
  func theEnvironmentNamesTheLanguage(_ environment: [String: String], _ isChinese: Bool) {
    #expect(Language.isChinese(environment) == isChinese)
  }
}
