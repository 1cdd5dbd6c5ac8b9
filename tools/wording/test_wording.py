"""Tests of the reader of texts and of the checks: python3 -m unittest discover tools/wording"""

import unittest

import check
import rules
import swift_texts


def templates(source):
    return [text.template for text in swift_texts.texts(source)]


class Texts(unittest.TestCase):
    def test_interpolations_are_places(self):
        self.assertEqual(templates(r'f("a \(x) of \(g(y, "z"))")'), ["z", "a {} of {}"])
        self.assertEqual(templates(r'f(#"\d \#(x)"#)'), [r"\d {}"])

    def test_joined_texts_are_one(self):
        self.assertEqual(templates('f("a " + b.c(1) + " d" + "e", "g")'), ["a {} de", "g"])
        self.assertEqual(templates('f(b + " c")'), ["{} c"])
        self.assertEqual(templates('f(x\n  ? "a" + b\n  : "c")'), ["a{}", "c"])

    def test_lines_lose_indentation_and_continue(self):
        self.assertEqual(templates('f("""\n  a \\\n  b\n    c\n  """)'), ["a b\n  c"])

    def test_comments_and_escapes(self):
        self.assertEqual(templates(r'// "no"' + "\n" + r'/* "no" */ f("a\"b\u{2026}\n")'), ['a"b…\n'])

    def test_what_a_text_is_given_to(self):
        source = 'FireflyError("a", at: p, expected: x ? "b" : "c"); Option.text("--x", "N", "d"); out.text("e")'
        found = {text.template: (text.callee, text.label) for text in swift_texts.texts(source)}
        self.assertEqual(found["a"], ("FireflyError", ""))
        self.assertEqual(found["b"], ("FireflyError", "expected"))
        self.assertEqual(found["d"][0], "Option.text")
        self.assertEqual(found["e"][0], "text")


class Rules(unittest.TestCase):
    def seen(self, source, path="Text/A.swift"):
        return [text.template for text in swift_texts.texts(source) if rules.is_seen(path, text)]

    def test_sentences_of_errors_are_seen(self):
        self.assertEqual(self.seen('FireflyError("the file is bad", at: "a b c", fix: "Mend it.")'), ["the file is bad", "Mend it."])

    def test_code_is_not(self):
        self.assertEqual(self.seen('f("{%- set a = b %}", "--max-tokens N", "r lora_r"); precondition(x, "a bad index")'), [])

    def test_of_a_file_that_is_written_only_errors(self):
        source = 'f("each step"); FireflyError("cannot write the curve")'
        self.assertEqual(self.seen(source, "Training/Records/LossCurve.swift"), ["cannot write the curve"])


class Problems(unittest.TestCase):
    def failures(self, table, found):
        return check.problems([("table", table)], found)[0]

    def test_a_complete_catalogue(self):
        self.assertEqual(self.failures([("a {} b {}", "{2} 乙 {1}")], {"a {} b {}": ("p:1", True)}), [])

    def test_missing_translations(self):
        found = {"a b": ("p:1", True), "c d": ("p:2", False), "e f": None}
        failures, others = check.problems([], found)
        self.assertEqual(failures, ["p:1: no translation: a b"])
        self.assertEqual(others, [("p:2", "c d")])

    def test_stale_doubled_and_wrong_places(self):
        found = {"a {}": ("p:1", True), "unknown {} {}": None}
        self.assertIn("in no source any more", self.failures([("a {}", "甲 {}"), ("gone now", "无")], found)[0])
        self.assertIn("other places", self.failures([("a {}", "甲")], found)[0])
        self.assertIn("twice", self.failures([("a {}", "甲 {}"), ("a {}", "甲 {}")], found)[0])
        self.assertEqual(self.failures([("a {}", "甲 {}"), ("unknown option {}", "未知 {}")], found), [])

    def test_cores(self):
        self.assertEqual(list(check.cores(", from {}\n\n (a list)\tb ")), ["from {}", "a list", "b"])

    def test_the_catalogue_is_read(self):
        tables = dict(check.catalogue_tables(check.ROOT))
        self.assertIn(("missing key", "缺少键"), list(tables["files"]))


if __name__ == "__main__":
    unittest.main()
