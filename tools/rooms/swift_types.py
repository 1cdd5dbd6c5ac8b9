"""Which types a Swift file declares and which it names: enough of the language to tell, and no more.

Comments and the texts of strings are dropped (what stands in an interpolation is code and stays). A type's name is an
identifier with a capital first letter. A nested type's bare name counts only where Swift would find it: inside its
outer type, an extension of that or a type that inherits from it.
"""

import re
from dataclasses import dataclass, field

Path = tuple[str, ...]  # ("Outer", "Inner")

_TOKEN = re.compile(r"`\w+`|\w+|->|\S")
_BLANK = re.compile(r"\s+")
_STRING = re.compile(r'(#*)("""|")')
_DECLARING = {"struct", "enum", "class", "protocol", "actor", "extension", "typealias", "associatedtype"}


def tokens(text: str) -> list[str]:
    """Words and signs of a source text; a string literal leaves only the code of its interpolations."""
    found: list[str] = []
    _take(text, 0, found, inside_string=False)
    return found


def _take(text: str, at: int, found: list[str], inside_string: bool) -> int:
    """Appends tokens from `at` on; inside an interpolation, up to and with its closing parenthesis."""
    open_parentheses = 0
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
        elif text.startswith("//", at):
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif text.startswith("/*", at):
            at = _end_of_comment(text, at)
        elif string := _STRING.match(text, at):
            at = _take_string(text, string, found)
        else:
            token = _TOKEN.match(text, at)
            at = token.end()
            word = token.group().strip("`")
            open_parentheses += (word == "(") - (word == ")")
            if inside_string and open_parentheses < 0:
                return at
            found.append(word)
    return at


def _end_of_comment(text: str, at: int) -> int:
    depth = 0
    for sign in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if sign.group() == "/*" else -1
        if depth == 0:
            return sign.end()
    return len(text)


def _take_string(text: str, opening: re.Match, found: list[str]) -> int:
    hashes, quotes = opening.groups()
    found.append('""')
    part = re.compile(re.escape("\\" + hashes) + r"(\(|.)|" + re.escape(quotes + hashes), re.DOTALL)
    at = opening.end()
    while sign := part.search(text, at):
        at = sign.end()
        if sign.group(1) == "(":
            at = _take(text, at, found, inside_string=True)
        elif sign.group(1) is None:
            return at
    return len(text)


@dataclass
class Use:
    """A chain of names (`Outer.Inner`) and the types around the place where it stands."""

    names: Path
    scope: Path


@dataclass
class SwiftFile:
    path: str
    declared: dict[Path, bool] = field(default_factory=dict)  # → whether only this file sees it
    inherits: dict[Path, list[Use]] = field(default_factory=dict)
    aliases: dict[Path, Use] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)


def read(path: str, text: str) -> SwiftFile:
    """The types a file declares and names."""
    return _Reader(SwiftFile(path), tokens(text)).read()


class _Reader:
    """Walks the tokens with the stack of open braces: each holds the path of the types around it."""

    def __init__(self, file: SwiftFile, words: list[str]) -> None:
        self.file, self.words, self.at = file, words, 0
        self.scopes: list[tuple[Path, bool]] = [((), False)]  # and whether only this file sees what is in it

    def read(self) -> SwiftFile:
        while self.at < len(self.words):
            word = self.words[self.at]
            if word == "{":
                self.scopes.append(self.scopes[-1])
            elif word == "}":
                if len(self.scopes) > 1:
                    self.scopes.pop()
            elif word == "import" and self._previous() != ".":
                self._skip_import()
                continue
            elif word in _DECLARING and self._declares():
                self._declaration()
                continue
            elif word[0].isupper() and self._previous() != ".":
                self._use(self.scopes[-1][0])
                continue
            self.at += 1
        return self.file

    def _previous(self, back: int = 1) -> str:
        return self.words[self.at - back] if self.at >= back else ""

    def _declares(self) -> bool:
        """Whether the keyword is followed by a type's name: `class func` and `: class` are not."""
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ""
        return self._previous() != "." and following[:1].isupper()

    def _skip_import(self) -> None:
        self.at += 2
        while self.at + 1 < len(self.words) and self.words[self.at] == ".":
            self.at += 2

    def _chain(self) -> Path:
        names = [self.words[self.at]]
        self.at += 1
        while self.at + 1 < len(self.words) and self.words[self.at] == "." and self.words[self.at + 1][0].isupper():
            names.append(self.words[self.at + 1])
            self.at += 2
        return tuple(names)

    def _use(self, scope: Path) -> Use:
        use = Use(self._chain(), scope)
        self.file.uses.append(use)
        return use

    def _declaration(self) -> None:
        kind, (scope, hidden) = self.words[self.at], self.scopes[-1]
        hidden = hidden or any(self._previous(back) in ("private", "fileprivate") for back in range(1, 4))
        self.at += 1
        if kind == "extension":
            path = self._use(scope).names
        else:
            path = scope + (self.words[self.at],)
            self.file.declared[path] = hidden
            self.at += 1
        if kind == "typealias":
            self._alias(path, scope)
        elif kind != "associatedtype":
            self._header(path)
            self.scopes.append((path, hidden))

    def _alias(self, path: Path, scope: Path) -> None:
        if self.at + 1 < len(self.words) and self.words[self.at] == "=" and self.words[self.at + 1][0].isupper():
            self.at += 1
            self.file.aliases[path] = self._use(scope)

    def _header(self, path: Path) -> None:
        """Up to and with the opening brace: generic parameters, what is inherited, conditions."""
        while self.at < len(self.words) and self.words[self.at] != "{":
            if self.words[self.at][0].isupper() and self._previous() != ".":
                self.file.inherits.setdefault(path, []).append(self._use(path))
            else:
                self.at += 1
        self.at += 1


class Declarations:
    """The types of one target's files, and where a name leads."""

    def __init__(self, module: str, files: list[SwiftFile]) -> None:
        self.module = module
        self.places: dict[Path, list[tuple[SwiftFile, bool]]] = {}
        self.inherits: dict[Path, list[Use]] = {}
        self.aliases: dict[Path, Use] = {}
        self.looked_for: set[Path] = set()  # members being looked up: what inherits in a ring ends
        for file in files:
            for path, hidden in file.declared.items():
                self.places.setdefault(path, []).append((file, hidden))
            for path, uses in file.inherits.items():
                self.inherits.setdefault(path, []).extend(uses)
            self.aliases.update(file.aliases)

    def known(self, file: SwiftFile) -> dict[str, set[str]]:
        """The other files whose types `file` names: → the names, as `Outer.Inner`."""
        found: dict[str, set[str]] = {}
        for use in file.uses:
            for path in self._steps(use, file):
                if all(place is not file for place in self._places(path, file)):
                    for place in self._places(path, file):
                        found.setdefault(place.path, set()).add(".".join(path))
        return found

    def _places(self, path: Path, file: SwiftFile) -> list[SwiftFile]:
        own = [place for place, _ in self.places.get(path, []) if place is file]
        return own or [place for place, hidden in self.places.get(path, []) if not hidden]

    def _steps(self, use: Use, file: SwiftFile) -> list[Path]:
        """Every type that a chain passes: `Outer`, then `Outer.Inner`."""
        names = use.names[1:] if use.names[0] == self.module else use.names
        if not names:
            return []
        if names[0] == "Self":
            steps, at = [], use.scope
        else:
            first = self._first(names[0], use.scope, file)
            if first is None:
                return []
            steps, at = [first], first
        for name in names[1:]:
            inner = self._member(at, name, file)
            if inner is None:
                break
            steps.append(inner)
            at = inner
        return steps

    def _first(self, name: str, scope: Path, file: SwiftFile) -> Path | None:
        """What a bare name means: a member of the types around it, inside first, then a type at the top."""
        for depth in range(len(scope), 0, -1):
            if scope[depth - 1] == name and self._places(scope[:depth], file):
                return scope[:depth]
            if found := self._member(scope[:depth], name, file):
                return found
        return (name,) if self._places((name,), file) else None

    def _member(self, path: Path, name: str, file: SwiftFile) -> Path | None:
        """A type nested in another: declared there, in what an alias stands for, or in what it inherits from."""
        inner = path + (name,)
        if self._places(inner, file):
            return inner
        if inner in self.looked_for:
            return None
        self.looked_for.add(inner)
        try:
            above = self.inherits.get(path, []) + ([self.aliases[path]] if path in self.aliases else [])
            outers = (self._outer(use, path, file) for use in above)
            found = (self._member(outer, name, file) for outer in outers if outer and outer != path)
            return next((path for path in found if path), None)
        finally:
            self.looked_for.discard(inner)

    def _outer(self, use: Use, path: Path, file: SwiftFile) -> Path | None:
        """The type an inherited name leads to, looked up outside the type that inherits."""
        steps = self._steps(Use(use.names, path[:-1]), file)
        return steps[-1] if steps and len(steps) == len(use.names) else None
