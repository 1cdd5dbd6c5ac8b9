#!/usr/bin/env python3
"""Checks that the documents name what is there: paths, and in the developers' pages types and functions too.

    python3 tools/docs_check.py      exit status 1 where a name leads nowhere; needs no packages and no build

A path is what begins with a folder of the project. A name is what stands in backquotes and looks like one of the code's:
`Norm`, `Ops.rmsNorm(…)`, `chunkElements`; "`Norm` in Sources/…/Norm.swift" must be declared in that file. Swift code of README and of the
library's pages stands so in a program of examples/, which is built.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "tools/README.md", "packaging/README.md", *sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
# Pages about the code, whose names are checked.
ABOUT_CODE = ("CONTRIBUTING.md", "docs/derivations/")

PATH = re.compile(r"(?<![\w/.])((?:Sources|Tests|tools|scripts|demo|docs|Benchmarks)/[\w+./-]*\w)")
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"\.?[A-Za-z]\w*(?:\.[a-z]\w*)?(?=\(|$)")
PLACED = re.compile(r"(?:`([A-Za-z]\w*)(?:\([^`]*\))?`|\b(\w+_\w+)) in (Sources/[\w+./-]*\w)")
RELATIVE = re.compile(r"[\w.-]+(?:/[\w+.-]+)+\.(?:py|sh|swift|md)")
PLACEHOLDER = "NAME"  # in CONTRIBUTING's recipes

# Names in backquotes that are not of the code: keys of other programs' files, fixtures' names, shell words, the environment.
OTHERS = re.compile(r"[a-z]+(_[a-z0-9]+)+|make|firefly|FIREFLY_[A-Z]+")
# The library's pages, and code in them that belongs to no program: an import by itself, a manifest.
PAGES = ROOT / "Sources" / "Firefly" / "Firefly.docc"
SWIFT = re.compile(r"^```swift\n(.*?)^```", re.DOTALL | re.MULTILINE)
NO_PROGRAM = ("import Firefly\n", "dependencies: ")
TARGETS = {path.name for path in (ROOT / "Sources").iterdir()}


def code() -> dict[Path, str]:
    endings = {".swift", ".c", ".h", ".cpp", ".inc"}
    folders = (ROOT / "Sources", ROOT / "Tests")
    return {path: path.read_text() for folder in folders for path in folder.rglob("*") if path.suffix in endings}


def declares(text: str, name: str) -> bool:
    """Whether a Swift file declares the name, or a C file defines a function or macro of it."""
    word = re.escape(name)
    swift = rf"\b(?:struct|class|enum|protocol|actor|typealias|func|var|let|case)\s+{word}\b"
    return re.search(swift + rf"|\b(?:\w+\s+\**|\()?{word}\(|#define\s+{word}\b", text) is not None


def faults(document: str, sources: dict[Path, str]) -> list[str]:
    text = (ROOT / document).read_text()
    found = []

    def fault(place: re.Match[str], what: str) -> None:
        line = text.count("\n", 0, place.start()) + 1
        found.append(f"{document}:{line}: {what}")

    for match in PATH.finditer(text):
        if PLACEHOLDER not in match.group(1) and not (ROOT / match.group(1)).exists():
            fault(match, f"there is no {match.group(1)}")
    for match in QUOTED.finditer(text):
        name = match.group(1)
        is_path = RELATIVE.fullmatch(name) and PLACEHOLDER not in name
        if is_path and not any((folder / name).exists() for folder in (ROOT, (ROOT / document).parent)):
            fault(match, f"there is no {name}")
    if not document.startswith(ABOUT_CODE):
        return found
    for match in QUOTED.finditer(text):
        name = NAME.match(match.group(1).strip())
        if name is None or OTHERS.fullmatch(name.group()) or name.group() in TARGETS or "/" in match.group(1):
            continue
        parts = [part for part in name.group().split(".") if part]
        if not any(all(re.search(rf"\b{part}\b", source) for part in parts) for source in sources.values()):
            fault(match, f"the code has no {name.group()}")
    for match in PLACED.finditer(text):
        name, path = match.group(1) or match.group(2), ROOT / match.group(3)
        if path in sources and not declares(sources[path], name):
            fault(match, f"{name} is not in {match.group(3)}")
    return found


def shifted(text: str) -> str:
    """The text with its lines' common indentation gone, and blanks at their ends."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def foreign_code() -> list[str]:
    """Blocks of README and the library's pages that stand in no example, line by line; how deep they are indented does not matter."""
    programs = [shifted(path.read_text()) for path in (ROOT / "examples").glob("*/Sources/*/*.swift")]
    found = []
    for page in [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(PAGES.glob("*.md"))]:
        text = page.read_text()
        for block in SWIFT.finditer(text):
            if block.group(1).startswith(NO_PROGRAM) or any(shifted(block.group(1)) in one for one in programs):
                continue
            line = text.count("\n", 0, block.start()) + 1
            found.append(f"{page.relative_to(ROOT)}:{line}: no program of examples/ has this code")
    return found


def main() -> int:
    sources = code()
    found = foreign_code()
    found += [fault for document in DOCUMENTS if (ROOT / document).exists() for fault in faults(document, sources)]
    print("\n".join(found) if found else f"{len(DOCUMENTS)} documents name what is there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
