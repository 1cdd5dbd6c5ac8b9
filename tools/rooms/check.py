#!/usr/bin/env python3
"""Checks how the files of a target lie: no circles, rooms in order, no memory addresses where operations belong.

    python3 tools/rooms/check.py                  every check; exit status 1 where one fails
    python3 tools/rooms/check.py --draw Weights   the files of a target and the types by which they know each other
    python3 tools/rooms/check.py --dot Weights    the same for Graphviz

A file knows another one when it names a type that is declared there. Files that know each other in a circle can only
be read together. rules.py holds what is accepted, each with its reason. Needs no packages and no build.
"""

import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import rules
import swift_types

ROOT = Path(__file__).resolve().parents[2]
Graph = dict[str, dict[str, set[str]]]  # file → file that it knows → names of types


@dataclass
class Target:
    name: str  # of the folder: "Weights"
    module: str  # "FireflyWeights"
    folder: Path
    dependencies: list[str]  # modules

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.swift"))

    def graph(self) -> Graph:
        """Every file by its path inside the target's folder, and what it knows."""
        files = [swift_types.read(str(path.relative_to(self.folder)), path.read_text()) for path in self.files()]
        declarations = swift_types.Declarations(self.module, files)
        return {file.path: declarations.known(file) for file in files}


def targets() -> list[Target]:
    """The Swift targets of Package.swift that are no tests."""
    text = (ROOT / "Package.swift").read_text()
    found = []
    for kind, body in re.findall(r"\.(\w*[tT]arget)\(\s*(name:.*?path: \"[^\"]*\")", text, re.DOTALL):
        module = re.search(r'name: "(\w+)"', body).group(1)
        folder = ROOT / re.search(r'path: "([^"]*)"', body).group(1)
        dependencies = re.search(r"dependencies: \[(.*?)\]", body, re.DOTALL)
        if kind != "testTarget" and folder.parts[len(ROOT.parts)] != "Tests" and any(folder.rglob("*.swift")):
            modules = re.findall(r'"(\w+)"', dependencies.group(1)) if dependencies else []
            found.append(Target(folder.name, module, folder, modules))
    return found


def circles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one file (Tarjan's algorithm)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(file: str) -> None:
        number[file] = lowest[file] = len(number)
        stack.append(file)
        for other in graph[file]:
            if other not in number:
                visit(other)
                lowest[file] = min(lowest[file], lowest[other])
            elif other in stack:
                lowest[file] = min(lowest[file], number[other])
        if lowest[file] == number[file]:
            start = stack.index(file)
            if len(stack) - start > 1:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for file in graph:
        if file not in number:
            visit(file)
    return found


def lines(graph: Graph, files: list[str]) -> list[str]:
    """A line for each arrow between the files: who knows whom, by which types."""
    return [
        f"  {file} -> {other}: {', '.join(sorted(graph[file][other]))}"
        for file in files
        for other in sorted(graph[file])
        if other in files
    ]


def circle_faults(target: Target, graph: Graph) -> list[str]:
    accepted = rules.ACCEPTED_CIRCLES.get(target.name, [])
    found = circles(graph)
    faults = [
        f"{target.name}: {len(circle)} files know each other in a circle\n" + "\n".join(lines(graph, circle))
        for circle in found
        if not any(set(circle) <= files for files, _ in accepted)
    ]
    for files, _ in accepted:
        if not any(set(circle) <= files for circle in found):
            faults.append(f"{target.name}: an accepted circle is gone, take it out of rules.py: {', '.join(sorted(files))}")
    return faults


def order_faults(target: Target, graph: Graph) -> list[str]:
    """Rooms that know a room above them; a target's own folder (".") stands on top unless the order says otherwise."""
    order = rules.ROOM_ORDER.get(target.name)
    if order is None:
        return []
    order = order if "." in order else [".", *order]
    faults = []
    rooms = {file: str(Path(file).parent) for file in graph}
    for room in sorted(set(rooms.values()) - set(order)):
        faults.append(f"{target.name}: the room {room} has no place in rules.py's order")
    for file, known in graph.items():
        for other, names in sorted(known.items()):
            if rooms[file] in order and rooms[other] in order and order.index(rooms[other]) < order.index(rooms[file]):
                faults.append(f"{target.name}: an arrow back, {file} -> {other}: {', '.join(sorted(names))}")
    return faults


def size_faults() -> list[str]:
    files = [path for folder in ("Sources", "Tests", "demo") for path in (ROOT / folder).rglob("*.swift")]
    counts = Counter(path.parent.relative_to(ROOT) for path in files)
    return [
        f"{room}: {count} Swift files, {rules.LARGEST_ROOM} are the most a room holds"
        for room, count in sorted(counts.items())
        if count > rules.LARGEST_ROOM
    ]


def address_faults(found: list[Target]) -> list[str]:
    """Memory addresses in targets that stand above Tensors and Weights, where the operations must do."""
    above = [target for target in found if reaches(target, "FireflyTensors", found)]
    faults, allowed = [], set()
    for target in above:
        if target.name not in rules.MAY_TOUCH_ADDRESSES:
            for path in target.files():
                name = str(path.relative_to(ROOT))
                code = " ".join(swift_types.tokens(path.read_text()))
                signs = _found(rules.ADDRESS, code)
                if signs and name in rules.ALLOWED_ADDRESSES:
                    allowed.add(name)
                elif signs:
                    faults.append(f"{name}: memory addresses ({', '.join(signs)})")
                calls = _found(rules.PROCESSOR_WORK, code) if target.name in rules.NO_PROCESSOR_WORK else []
                if calls:
                    faults.append(f"{name}: work that only the processor can do ({', '.join(calls)}); it belongs in Tensors")
    for name in sorted(set(rules.ALLOWED_ADDRESSES) - allowed):
        faults.append(f"{name}: allowed to use memory addresses and does not, take it out of rules.py")
    return faults


def _found(pattern: re.Pattern[str], code: str) -> list[str]:
    return sorted({sign.group().replace(" ", "") for sign in pattern.finditer(code)})


def reaches(target: Target, module: str, found: list[Target]) -> bool:
    """Whether a target imports a module, itself or through others."""
    return module in target.dependencies or any(
        reaches(other, module, found) for other in found if other.module in target.dependencies
    )


def draw(target: Target, dot: bool) -> None:
    graph = target.graph()
    if not dot:
        print("\n".join(lines(graph, sorted(graph))))
        return
    print(f'digraph "{target.name}" {{\n  rankdir=LR; node [shape=box];')
    for file, known in graph.items():
        print(f'  "{file}";')
        for other, names in sorted(known.items()):
            print(f'  "{file}" -> "{other}" [tooltip="{", ".join(sorted(names))}"];')
    print("}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found = targets()
    names = [target.name for target in found]
    parser.add_argument("--draw", choices=names, metavar="TARGET", help="a line for each arrow between two files")
    parser.add_argument("--dot", choices=names, metavar="TARGET", help="the same as a graph for Graphviz")
    wanted = parser.parse_args()
    for target in found:
        if target.name in (wanted.draw, wanted.dot):
            draw(target, dot=target.name == wanted.dot)
            return 0

    faults = size_faults() + address_faults(found)
    for target in found:
        graph = target.graph()
        faults += circle_faults(target, graph) + order_faults(target, graph)
    print("\n".join(faults) if faults else f"{len(found)} targets: no circle, rooms in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
