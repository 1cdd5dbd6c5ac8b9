#!/usr/bin/env python3
"""Writes Tests/JinjaTests/Fixtures: what jinja2, in the environment that transformers gives chat templates, makes of the
templates in chat_templates/ and of random expressions.

    python tools/reference/jinja_fixtures.py [OUT]

Needs transformers, jinja2 (requirements.txt). The templates are our own, in the style of those that models ship.
templates.json: name → source. renderings.jsonl: {"template", "variables", "output" | "error"}. expressions.jsonl:
{"source", "output" | "error"}, all with the variables of variables.json. Values are written so that the order of dictionaries
survives: {"dict": [[key, value], …]}, {"list": […]}, else the JSON scalar.
"""

import copy
import datetime
import json
import pathlib
import random
import sys
import warnings

from transformers.utils import chat_template_utils

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
NOW = datetime.datetime(2024, 3, 5, 16, 7, 8)


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def ordered(value):
    if isinstance(value, dict):
        return {"dict": [[ordered(key), ordered(member)] for key, member in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list": [ordered(item) for item in value]}
    return value


def render(source: str, variables: dict, optimized: bool = True) -> dict:
    try:
        template = chat_template_utils._compile_jinja_template(source)
        if not optimized:
            template = template.environment.overlay(optimized=False).from_string(source)
        return {"output": template.render(**variables)}
    except Exception as error:  # whatever Python raises, a template error is an error
        return {"error": f"{type(error).__name__}: {error}"}


# --- Conversations ---


def user(text): return {"role": "user", "content": text}  # noqa: E704
def answer(text): return {"role": "assistant", "content": text}  # noqa: E704
def system(text): return {"role": "system", "content": text}  # noqa: E704


TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Tells the weather\nof a city.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "Name of the city, such as \"北京\""},
        "days": {"type": "integer"}, "units": {"type": ["string", "number"], "description": "C\nor F"},
        "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}}}  # fmt: skip
CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "abc123def", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "北京", "days": 2}}}]}
RESULT = {"role": "tool", "tool_call_id": "abc123def", "content": '{"sky": "clear"}'}

CONVERSATIONS = {
    "one question": [user("Hello, who are you?")],
    "two turns": [user("  What is 2+2? "), answer(" 4. \n"), user("And 3+3?"), answer("6")],
    "system": [system("Be brief.  "), user("你好"), answer("你好!"), user("再见"), answer("再见。")],
    "open end": [system("Be brief."), user("a"), answer("b"), user("c")],
    "thoughts": [user("q1"), answer("<think>\nsome thought\n</think>\n\nfirst"), user("q2"), answer("<think>\nmore\n</think>\n\nsecond")],
    "no alternation": [user("a"), user("b")],
    "hard text": [user("{{ bos_token }} {% if %} 'quotes' \"double\" \\n\r\nCRLF\ttab é e\u0301 😀"), answer("<|im_end|> 中文\u3000 ")],
    "empty": [user(""), answer("")],
    "parts": [user([{"type": "text", "text": " look "}, {"type": "image"}]), answer("seen")],
}  # fmt: skip
TOOL_CONVERSATIONS = {
    "tool": [user("Weather in 北京?")],
    "tool call": [system("Use tools."), user("Weather?"), CALL, RESULT, answer("Clear."), user("Thanks"), answer("Bye")],
    "two results": [user("Weather?"), CALL, RESULT, RESULT, answer("Clear.")],
    "call with text": [user("Weather?"), CALL | {"content": "Let me look."}, RESULT, answer("Clear.")],
    "call without content": [user("Weather?"), CALL | {"content": None}, RESULT, answer("Clear.")],
    "reasoning": [user("q1"), answer("One.") | {"reasoning_content": "r1"}, user("q2"), CALL | {"reasoning_content": "r2"}, RESULT,
                  answer("Two.") | {"reasoning_content": "r3"}],
}


def renderings(templates: dict):
    for name, source in templates.items():
        for title, messages in (CONVERSATIONS | TOOL_CONVERSATIONS).items():
            for prompt in (False, True):
                variables = {
                    "messages": messages, "tools": [TOOL] if title in TOOL_CONVERSATIONS else None, "documents": None,
                    "add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>",
                }  # fmt: skip
                yield {"template": name, "title": title, "variables": ordered(variables), **render(source, variables)}


# --- Random expressions ---

VARIABLES = {
    "s": "Hello, World", "t": "  pad\tded\n", "u": "中文 é 😀x", "empty": "", "n": 7, "m": -3, "z": 0, "f": 2.5, "g": -0.125,
    "yes": True, "no": False, "nil": None, "xs": [3, 1, 2], "ws": ["b", "A", "c", "a"], "mixed": [1, "two", None, 2.5, [4]],
    "d": {"b": 1, "a": "x", "items": "shadow", "nested": {"k": [1, 2]}},
    "rows": [{"r": "user", "n": 2}, {"r": "bot", "n": 1}, {"r": "user"}],
}  # fmt: skip
ATOMS = list(VARIABLES) + ["missing", "1", "2", "0", "10", "-1", "1.5", "'l'", "'o, '", "''", "true", "none", "[]", "{}", "d.a", "d['b']",
                           "d.missing", "d.nested.k", "rows[0].r", "rows[1]['n']", "xs[-1]", "s[1:4]", "u[::-1]", "xs[::-1]", "(1, 2)",
                           "1e3", "1.5E-2", "2e+1", "1_000", "0x1F", "0b11", "0o17", r"'\x41\n'", r"'\u4e2d'", r"'\U0001F600'", r"'\101\7'", r"'\q\é'"]  # fmt: skip
FORMATS = ["'%5d|%-5s|' % (n, s)", "'%05.1f' % f", "'%+d' % n", "'%x %X %o' % (255, 255, 8)", "'%e' % f", "'%g' % f", "'%r' % s", "'%.3s|' % u", "'%(b)s' % d",
           "'%%' % ()", "'%d' % f", "'%i' % m", "'%06d' % m", "'%-6d|' % m", "'%8.3f|' % g", "'% d' % n", "'%s' % (xs,)", "'%s %s' % (n, nil)", "'%s' % n", "'%d' % s",
           "'%c' % 65", "'%#06x' % 255", "'%.3d' % n", "'%+.2e' % g", "'%%%s' % s", "'%s'", "'%5%' % ()"]  # fmt: skip
FILTERS = ["trim", "length", "upper", "lower", "title", "capitalize", "first", "last", "list", "string", "int", "float", "abs", "round",
           "round(1)", "tojson", "tojson(indent=2)", "default('dflt')", "default('dflt', true)", "join('-')", "join", "reverse", "reverse|list",
           "sort", "sort(reverse=true)", "unique|list", "replace('l', 'L')", "indent", "indent(2, true)", "select|list", "reject('none')|list",
           "map('string')|list", "map('upper')|join(',')", "select('string')|list", "selectattr('n')|list|length", "selectattr('r', 'equalto', 'user')|map(attribute='r')|join",
           "rejectattr('n', 'defined')|list|length", "map(attribute='n', default=9)|list", "items|list", "dictsort", "batch(2)|list", "sum", "min", "max",
           "wordcount", "format(1)", "count", "sort(attribute='n')", "round(1, 'floor')", "round(0, 'ceil')", "round(-1)", "round(2, 'odd')", "trim('d')", "indent('> ')",
           "indent(2, blank=true)", "tojson(separators=(',', ':'))", "tojson(sort_keys=true)", "tojson(ensure_ascii=true)", "int(5)", "int(5, 16)", "float(1.5)", "batch(2, '-')|list",
           "sum(attribute='n')", "join(', ', attribute='r')", "unique(attribute='r')|list", "dictsort(true)", "dictsort(by='value')", "dictsort(reverse=true)",
           "sort(case_sensitive=true)", "unique(true)|list", "map('int')|list", "escape", "e", "replace('l', 'L', 1)",
           "tojson(indent=1, separators=(',', ':'))", "min(attribute='n')", "select('odd')|list", "attr('b')"]  # fmt: skip
TESTS = ["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false",
         "odd", "even", "divisibleby 3", "divisibleby(2)", "eq 7", "equalto('x')", "in [7, 'a']", "lower", "upper", "callable", "ne(1)", "gt 1", "sameas none"]  # fmt: skip
METHODS = ["strip()", "lstrip()", "rstrip()", "split()", "split('l')", "split(',', 1)", "rsplit(' ', 1)", "upper()", "lower()", "title()", "capitalize()",
           "startswith('He')", "endswith('d')", "replace('l', '')", "find('o')", "count('l')", "get('a')", "get('q', 5)", "items()", "keys()|list", "values()|list",
           "index(1)", "splitlines()", "isdigit()", "isalpha()", "isupper()", "strip('Hd')", "partition(', ')", "zfill(9)", "removeprefix('He')",
           "rpartition('l')", "removesuffix('ld')", "rfind('l')", "isalnum()", "isnumeric()", "isdecimal()", "isspace()", "islower()", "endswith(('d', 'x'))", "startswith(('He', 1))",
           "index('l')", "replace('l', 'L', 1)", "replace('', '-')", "replace('', '-', 3)", "split(none, 1)", "rsplit(none, 1)", "rsplit('l')", "splitlines(true)", "count('')", "find('')", "rfind('')",
           "join(ws)", "join(xs)", "strip(1)", "index('z')",
           "lstrip('He')", "rstrip(none)", "split(sep='l', maxsplit=1)", "format(1, n=2)", "copy()", "pop('a')"]  # fmt: skip
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]


def expression(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(FORMATS if draw.random() < 0.1 else ATOMS)
    inner = lambda: expression(draw, depth - 1)  # noqa: E731
    match draw.randrange(11):
        case 0 | 1: return f"{inner()} {draw.choice(BINARY)} {inner()}"
        case 2: return f"({inner()} {draw.choice(BINARY)} {inner()})"
        case 3: return f"{inner()}|{draw.choice(FILTERS)}"
        case 4: return f"({inner()})|{draw.choice(FILTERS)}"
        case 5: return f"({inner()}) is {'not ' if draw.random() < 0.3 else ''}{draw.choice(TESTS)}"
        case 6: return f"({inner()}).{draw.choice(METHODS)}"
        case 7: return f"({inner()})[{draw.choice(['0', '-1', '1:', ':2', '::2', '::-1', '-2:', '5:1:-2', inner()])}]"
        case 8: return f"{inner()} if {inner()}" + (f" else {inner()}" if draw.random() < 0.8 else "")
        case 9: return draw.choice(["not ", "-", "+"]) + inner()
        case _: return draw.choice([f"[{inner()}, {inner()}]", f"{{'k': {inner()}, 2: {inner()}}}", f"({inner()},)"])


def is_comparable(result: dict) -> bool:
    """Leaves out what differs on purpose: whole numbers beyond 64 bits, addresses, views and generators as text."""
    output = result.get("output", "")
    return not any(word in output for word in (" at 0x", "<built-in", "<bound", "<generator", "<filter", "dict_items", "range(", "<list_reverse",
                                               "Undefined", "dict_keys", "<class", "<reversed", "<map")) and not any(
        len(run) > 18 for run in "".join(c if c.isdigit() else " " for c in output).split())  # fmt: skip


def expressions(valid: int, invalid: int):
    draw = random.Random(20240305)
    seen = set()
    left = {"output": valid, "error": invalid}
    while any(left.values()):
        source = "{{ " + expression(draw, draw.choice([1, 1, 2, 2, 3])) + " }}"
        if source in seen:
            continue
        result = render(source, copy.deepcopy(VARIABLES))  # a filter may change a list
        kind = next(iter(result))
        # Jinja computes constants beforehand by other rules; what differs then belongs to no rule.
        held = source.replace("{{", "{% set held =").replace("}}", "%}{{ held }}")
        same = result == render(held, copy.deepcopy(VARIABLES), optimized=False)
        if left[kind] and same and is_comparable(result):
            seen.add(source)
            left[kind] -= 1
            yield {"source": source, **({"error": True} if kind == "error" else result)}


def write_lines(path: pathlib.Path, rows) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/JinjaTests/Fixtures"
    out.mkdir(parents=True, exist_ok=True)
    chat_template_utils.datetime = FixedClock
    templates = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "chat_templates").glob("*.jinja"))}
    (out / "templates.json").write_text(json.dumps(templates, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write_lines(out / "renderings.jsonl", renderings(templates))
    (out / "variables.json").write_text(json.dumps(ordered(VARIABLES), ensure_ascii=False) + "\n", encoding="utf-8")
    write_lines(out / "expressions.jsonl", expressions(2000, 500))
    manifest.write(out, "tools/reference/jinja_fixtures.py", ["transformers", "jinja2"])


if __name__ == "__main__":
    warnings.simplefilter("ignore", SyntaxWarning)
    main()
