"""MANIFEST.json beside generated fixtures: who made them, with which versions, and each file's SHA-256."""

import hashlib
import importlib.metadata
import json
import pathlib
import platform


def sha256(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(
    folder: pathlib.Path, script: str, packages: list[str], references: dict[str, str] | None = None
) -> None:
    """Lists every file under `folder` but the manifest, the README and folders with one of these of their own; links count as
    what they point to.

    `references` says, folder by folder, what computed the numbers."""
    own = ("MANIFEST.json", "README.md")
    others = {path.parent for name in own for path in folder.glob(f"*/**/{name}")}
    files = sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.name not in own and not others & set(path.parents)
    )
    manifest = {
        "made_by": script,
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in packages},
        "sha256": {str(path.relative_to(folder)): sha256(path) for path in files},
    }
    if references:
        manifest["references"] = references
    (folder / "MANIFEST.json").write_text(json.dumps(manifest, indent=2) + "\n")


def add(folder: pathlib.Path, parts: list[pathlib.Path], references: dict[str, str]) -> None:
    """Lists the files of some folders under `folder` anew and leaves the rest of its manifest."""
    path = folder / "MANIFEST.json"
    manifest = json.loads(path.read_text())
    names = [str(part.relative_to(folder)) + "/" for part in parts]
    kept = {name: digest for name, digest in manifest["sha256"].items() if not name.startswith(tuple(names))}
    found = {
        str(path.relative_to(folder)): sha256(path) for part in parts for path in part.rglob("*") if path.is_file()}  # fmt: skip
    manifest["sha256"] = dict(sorted((kept | found).items()))
    manifest["references"] = dict(sorted((manifest["references"] | references).items()))
    path.write_text(json.dumps(manifest, indent=2) + "\n")
