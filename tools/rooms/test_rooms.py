"""What counts as naming a type, on a few lines of Swift each: python3 -m unittest discover tools/rooms"""

import unittest

import check
import swift_types


def known(**sources: str) -> dict[str, dict[str, set[str]]]:
    """The graph of a target named Module of these files."""
    files = [swift_types.read(name, text) for name, text in sources.items()]
    declarations = swift_types.Declarations("Module", files)
    return {file.path: declarations.known(file) for file in files}


class Names(unittest.TestCase):
    def test_a_type_declared_elsewhere(self):
        graph = known(a="struct A { var b: B }", b="final class B {}")
        self.assertEqual(graph, {"a": {"b": {"B"}}, "b": {}})

    def test_module_name_before_a_type(self):
        self.assertEqual(known(a="let x = Module.B()", b="enum B {}")["a"], {"b": {"B"}})

    def test_a_nested_type_by_its_full_name(self):
        graph = known(a="let x: B.Inner", b="struct B {}", c="extension B { struct Inner {} }")
        self.assertEqual(graph["a"], {"b": {"B"}, "c": {"B.Inner"}})
        self.assertEqual(graph["c"], {"b": {"B"}})

    def test_a_nested_type_by_its_bare_name(self):
        graph = known(a="extension B { func f(_: Inner) {} }\nfunc g(_: Inner) {}", b="struct B { struct Inner {} }")
        self.assertEqual(graph["a"], {"b": {"B", "B.Inner"}})
        self.assertEqual(known(a="func g(_: Inner) {}", b="struct B { struct Inner {} }")["a"], {})

    def test_a_nested_type_of_what_is_inherited(self):
        graph = known(a="class A: B { let x: Inner }", b="class B { class Inner {} }")
        self.assertEqual(graph["a"], {"b": {"B", "B.Inner"}})

    def test_an_alias(self):
        graph = known(a="typealias A = B\nlet x: A.Inner", b="struct B {}", c="extension B { enum Inner {} }")
        self.assertEqual(graph["a"], {"b": {"B"}, "c": {"B.Inner"}})

    def test_the_same_name_inside_is_another_type(self):
        graph = known(a="struct A { enum Kind {}\n var k: Kind }", b="enum Kind {}")
        self.assertEqual(graph["a"], {})

    def test_private_types_are_their_file_s_own(self):
        graph = known(a="let x: Entry", b="private struct Entry {}", c="fileprivate final class Entry {}")
        self.assertEqual(graph["a"], {})

    def test_comments_and_texts_name_nothing(self):
        graph = known(a='// B\n/* B /* B */ B */ let x = "B \\"B" + #"B \\(B)"# + """\n B "B" \n"""', b="enum B {}")
        self.assertEqual(graph["a"], {})

    def test_interpolations_are_code(self):
        self.assertEqual(known(a='let x = "a \\(f(B.y) + "\\(1)") b"', b="enum B {}")["a"], {"b": {"B"}})

    def test_class_is_also_a_modifier_and_a_constraint(self):
        graph = known(a="class A { class func f() {} }\nprotocol P: AnyObject {}\nlet b: B", b="enum B {}")
        self.assertEqual(graph["a"], {"b": {"B"}})

    def test_inheritance_in_a_ring_ends(self):
        self.assertEqual(known(a="class A: B.C { let x: D }", b="class B: A.D {}")["a"], {"b": {"B"}})


class Circles(unittest.TestCase):
    def test_circles_of_two_and_more(self):
        graph = known(a="let x: B", b="struct B { let c: C, d: D }", c="struct C { let b: B }", d="struct D {}")
        self.assertEqual(check.circles(graph), [["b", "c"]])


if __name__ == "__main__":
    unittest.main()
