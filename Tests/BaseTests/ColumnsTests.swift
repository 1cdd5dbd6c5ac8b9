import FireflyBase
import Testing

@Suite struct ColumnsTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("中文", 4), ("한국", 4), ("ｱ", 1), ("é", 1), ("e\u{301}", 1), ("🙂", 2), ("a\nb\t", 2),
    ("…×", 2),
  ])
  func wideCharactersTakeTwo(text: String, columns: Int) {
    #expect(Columns.count(text) == columns)
  }

  @Test func cellsBeginAtTheSameColumn() {
    #expect(Columns.table([["model", "1"], ["模型", "12"]]) == ["model  1", "模型   12"])
    #expect(Columns.table([["a", "1"], ["b", "12"]], right: [1]) == ["a   1", "b  12"])
    #expect(Columns.left("中", 4) + "|" + Columns.right("中", 4) == "中  |  中")
  }

  @Test func aLastCellGoesOnBeneathItself() {
    #expect(
      Columns.table([["a", "one two"], ["bc", "three"]], width: 8) == ["a   one\n    two", "bc  three"])
  }

  @Test func whatDoesNotFitIsCut() {
    #expect(Columns.cut("abcdef", to: 6) == "abcdef")
    #expect(Columns.cut("abcdef", to: 5) == "abcd…")
    #expect(Columns.cut("中文字", to: 5) == "中文…")
    #expect(Columns.cut("中文字", to: 4) == "中…")
  }

  @Test func linesEndBetweenWords() {
    #expect(Columns.wrapped("one two three", width: 8, indent: 2) == "one two\n  three")
    #expect(Columns.wrapped("one two", width: 9, from: 6, indent: 2) == "one\n  two")
    #expect(Columns.wrapped("unbreakable", width: 4) == "unbreakable")
    #expect(Columns.wrapped("  a  b", width: 20) == "  a  b")
  }

  @Test func chineseBreaksBetweenCharactersAndNotBeforeAMark() {
    #expect(Columns.wrapped("模型在这里。好", width: 10) == "模型在这\n里。好")
    #expect(Columns.wrapped("用 --json 输出结果", width: 12) == "用 --json 输\n出结果")
  }
}
