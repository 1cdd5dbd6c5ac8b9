"""The texts in a Swift source file, as templates: `"\\(a) of " + b` is `{} of {}`.

A reader of tokens, not of the language: strings, comments and brackets are exact, where an operand of `+` ends is
a guess that holds for code in this project's format.
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<line>//[^\n]*)|(?P<block>/\*)|(?P<string>\#*\"\"\"|\#*\")"""
    r"""|(?P<name>[@#]?[A-Za-z_][A-Za-z0-9_]*|`[^`]*`|\$[0-9]+)|(?P<number>[0-9][0-9A-Za-z_.]*)"""
    r"""|(?P<operator>[-+*/%=<>!&|^~?]+|\.\.[.<])|(?P<mark>.)""",
    re.S,
)
OPENING, CLOSING = "([{", ")]}"


@dataclass
class Token:
    kind: str  # name, number, operator, mark, string
    text: str
    line: int
    starts_line: bool
    parts: list = field(default_factory=list)  # of a string: str, or list of tokens of an interpolation


@dataclass
class Text:
    """One text of a file, and what it is given to."""

    template: str
    line: int
    callee: str  # the nearest call around it: FireflyError, Flag, precondition, …; "" for none
    label: str  # its label there
    inner: bool  # stands within another text's interpolation


def tokens(source, line=1):
    """All tokens of `source`, without comments."""
    found, at, starts = [], 0, True
    while at < len(source):
        match = TOKEN.match(source, at)
        kind, text = match.lastgroup, match.group()
        at = match.end()
        if kind == "newline":
            line, starts = line + 1, True
        elif kind == "block":
            end = source.index("*/", at)
            line += source.count("\n", at, end)
            at = end + 2
        elif kind == "string":
            parts, end = string_parts(source, at, text, line)
            found.append(Token("string", source[match.start() : end], line, starts, parts))
            line += source.count("\n", match.start(), end)
            at, starts = end, False
        elif kind not in ("space", "line"):
            found.append(Token(kind, text, line, starts))
            starts = False
    return found


def string_parts(source, at, opening, line):
    """The parts of the string that `opening` began, and where it ends."""
    hashes = opening.count("#")
    quotes = opening[hashes:]
    escape, closing = "\\" + "#" * hashes, quotes + "#" * hashes
    parts, plain = [], ""
    start = at
    while not source.startswith(closing, at):
        if not source.startswith(escape, at):
            plain += source[at]
            at += 1
            continue
        at += len(escape)
        if source[at] == "(":
            end = closing_bracket(source, at)
            parts += [plain, tokens(source[at + 1 : end], line + source.count("\n", start, at))]
            plain, at = "", end + 1
        elif source[at] == "u":
            end = source.index("}", at)
            plain += chr(int(source[at + 2 : end], 16))
            at = end + 1
        elif source[at] == "\n":
            plain += "\0"  # a continued line: its end and the next one's indentation go
            at += 1
        else:
            plain += {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(source[at], source[at])
            at += 1
    parts.append(plain)
    if quotes == '"""':
        parts = unindented(parts, source[:at])
    return parts, at + len(closing)


def unindented(parts, before):
    """A multi-line string's parts without its own line ends and indentation."""
    indentation = before[before.rindex("\n") + 1 :]
    parts = [p.replace("\n" + indentation, "\n").replace("\0" + indentation, "") if isinstance(p, str) else p for p in parts]
    parts[0] = parts[0].removeprefix("\n")
    parts[-1] = parts[-1].removesuffix("\n")
    return parts


def closing_bracket(source, at):
    """Where the bracket at `at` closes, over strings within."""
    depth = 0
    while True:
        match = TOKEN.match(source, at)
        if match.lastgroup == "string":
            _, at = string_parts(source, match.end(), match.group(), 0)
            continue
        depth += (match.group() in OPENING) - (match.group() in CLOSING)
        if depth == 0:
            return at
        at = match.end()


def texts(source):
    """Every text of a Swift file."""
    found = []
    collect(tokens(source), found, inner=False)
    return found


def collect(all_tokens, found, inner, around=("", "")):
    calls = []  # (callee, label) of the brackets that are open
    index = 0
    while index < len(all_tokens):
        token = all_tokens[index]
        if token.kind == "mark" and token.text in OPENING:
            calls.append([callee(all_tokens, index), ""])
        elif token.kind == "mark" and token.text in CLOSING:
            if calls:
                calls.pop()
        elif token.text == "," and calls:
            calls[-1][1] = ""
        elif token.kind == "name" and calls and following(all_tokens, index) == ":" and before_label(all_tokens, index):
            calls[-1][1] = token.text
        elif token.kind == "string":
            name, label = next(((c, l) for c, l in reversed(calls) if c), around)
            template, index = chain(all_tokens, index, found, (name, label))
            found.append(Text(template, token.line, name, label, inner))
            continue
        index += 1


def following(all_tokens, index):
    return all_tokens[index + 1].text if index + 1 < len(all_tokens) else ""


def before_label(all_tokens, index):
    return index > 0 and all_tokens[index - 1].text in ("(", ",")


def callee(all_tokens, index):
    """What the bracket at `index` calls: a name directly before an opening parenthesis."""
    if all_tokens[index].text != "(" or index == 0:
        return ""
    before = all_tokens[index - 1]
    if before.kind != "name" or before.text in ("if", "guard", "return", "let", "in", "case", "try", "throw", "while"):
        return ""
    # `Option.text(…)`, which is another than `output.text(…)`.
    owner = all_tokens[index - 3].text if index > 2 and all_tokens[index - 2].text == "." else ""
    return f"{owner}.{before.text}" if owner == "Option" else before.text


def chain(all_tokens, index, found, around):
    """The template of a string and of what `+` joins to it, and where that ends."""
    template = "{}" if index > 0 and all_tokens[index - 1].text == "+" else ""
    while True:
        for part in all_tokens[index].parts:
            if isinstance(part, str):
                template += part
            else:
                template += "{}"
                collect(part, found, True, around)
        index += 1
        while following(all_tokens, index - 1) == "+" and index + 1 < len(all_tokens):
            if all_tokens[index + 1].kind == "string":
                index += 1
                break
            end = operand_end(all_tokens, index + 1)
            collect(all_tokens[index + 1 : end], found, True, around)
            template += "{}"
            index = end
        else:
            return template, index


def operand_end(all_tokens, index):
    """Where the operand that begins at `index` ends."""
    depth, start = 0, index
    while index < len(all_tokens):
        token = all_tokens[index]
        if depth == 0 and index > start:
            if token.text in ("+", ",", ":", ";", "else") or token.text in CLOSING:
                break
            if token.kind == "operator" and token.text not in ("!", "?"):
                break
            if token.starts_line and token.text != ".":
                break
        depth += (token.text in OPENING) - (token.text in CLOSING) if token.kind == "mark" else 0
        index += 1
    return index
