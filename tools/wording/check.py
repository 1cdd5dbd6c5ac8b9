#!/usr/bin/env python3
"""Compares the Chinese catalogue with the texts of the sources.

    python3 tools/wording/check.py           exit status 1 where an error or a help text has no translation, or a
                                             translation's text is gone or has other places
    python3 tools/wording/check.py --list    also every other text without one, as the catalogue takes them

The catalogue is Sources/Base/Language/Chinese; rules.py says which texts people see. Needs no packages and no build.
"""

import argparse
import re
import sys
from pathlib import Path

import rules
import swift_texts

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = "Base/Language/Chinese"
PLACES = re.compile(r"\{(\d*)\}")


def cores(template):
    """A template's lines and list entries without the spaces, commas and brackets around them, as the catalogue has them."""
    for line in re.split(r"[\n\t]", template):
        line = re.sub(r"^[,;] ", "", line.strip()).strip()
        if line.startswith("(") and line.endswith(")") and line.count("(") == 1:
            line = line[1:-1].strip()
        if line.strip("{} "):
            yield line


def catalogue_tables(root):
    """The tables by name, each a list of (text, translation)."""
    for path in sorted((root / "Sources" / CATALOGUE).glob("*.swift")):
        names = re.findall(r"static let (\w+) = #\"\"\"", path.read_text())
        tables = [text.template for text in swift_texts.texts(path.read_text()) if "\n" in text.template]
        for name, table in zip(names, tables, strict=True):
            yield name, entries(table)


def entries(table):
    lines = table.split("\n")
    for text, translation in zip(lines[::2], lines[1::2], strict=True):
        if text.startswith("= ") or not translation.startswith("= "):
            sys.exit(f"the catalogue is out of step at: {text}")
        yield text, translation[2:]


def source_texts(root):
    """Every core of every text: those that people see with (place, is strict), the others with None."""
    found = {}
    for path in sorted((root / "Sources").rglob("*.swift")):
        name = str(path.relative_to(root / "Sources"))
        if name.startswith(CATALOGUE):
            continue
        for text in swift_texts.texts(path.read_text()):
            seen = rules.is_seen(name, text)
            for core in cores(text.template):
                if seen and rules.WORD.search(core.replace("{}", " ")):
                    before = found.get(core)
                    strict = rules.is_strict(text) or bool(before and before[1])
                    found[core] = (f"Sources/{name}:{text.line}", strict)
                else:
                    found.setdefault(core, None)
                # What stands in columns is also translated column by column.
                for cell in re.split(r"  +", core):
                    found.setdefault(cell.strip(), None)
    return found


def special_cases(found):
    """A test of whether a text is one that a template of the sources can become: `unknown option {}` of `unknown {} {}`.

    The template must say at least a quarter of it.
    """
    said = lambda text: len(text.replace("{}", ""))
    patterns = [(re.compile(re.escape(core).replace(r"\{\}", ".*") + "$"), said(core)) for core in found if "{}" in core]
    return lambda text: any(4 * weight >= said(text) and pattern.match(text) for pattern, weight in patterns)


def places(text):
    numbers = PLACES.findall(text)
    return sorted(int(number) if number else index + 1 for index, number in enumerate(numbers))


def problems(tables, found):
    """(failures, texts that have no translation and may not need one)."""
    failures, translated = [], {}
    is_special = special_cases(found)
    for name, table in tables:
        for text, translation in table:
            if text in translated:
                failures.append(f"twice in the catalogue: {text}")
            if places(text) != places(translation):
                failures.append(f"other places than the text's: {text}\n    = {translation}")
            if name != "system" and text not in found and not is_special(text):
                failures.append(f"in no source any more: {text}")
            translated[text] = translation
    missing = {core: seen for core, seen in found.items() if seen and core not in translated}
    failures += [f"{place}: no translation: {core}" for core, (place, strict) in missing.items() if strict]
    return failures, [(place, core) for core, (place, strict) in missing.items() if not strict]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    tables = [(name, list(table)) for name, table in catalogue_tables(ROOT)]
    failures, others = problems(tables, source_texts(ROOT))
    if arguments.list:
        for place, core in others:
            print(f"# {place}\n{core}\n= ")
    print("\n".join(failures) or f"{sum(len(table) for _, table in tables)} translations, all of texts that there are")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
