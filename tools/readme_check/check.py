#!/usr/bin/env python3
"""Runs the commands of README.md, one after the other, as someone would who has just run `make demo`.

    python3 tools/readme_check/check.py BIN        BIN: the folder with firefly and FireflyDemoData
    python3 tools/readme_check/check.py BIN --model FILE.gguf    with the demonstration's own model, which takes long

Without --model the model is a tiny random one, so that all of it takes a minute: what is checked is that every command is right,
and every key of every configuration, not what comes out. What runs are the blocks of README.md marked ```sh, in their order, in one
shell. A comment of Markdown before a block says more:

    <!-- file: NAME -->    the block is this file's content, and is written
    <!-- serves -->        the block's command goes on in the background until the end, once it listens
    <!-- not run: WHY -->  the block is left out

README.zh-CN.md must have the same blocks; comments of the shell may differ.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:^<!-- (file|serves|not run)(?:: ([^>]*?))? -->\n)?^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LISTENING = 60  # seconds within which a server must listen


def blocks(document: str) -> list[tuple[str, str, str, str]]:
    """(mark, what it says, language, text) of each block that is run or written."""
    found = [match.groups(default="") for match in BLOCK.finditer((ROOT / document).read_text())]
    return [block for block in found if block[0] == "file" or block[2] == "sh"]


def comparable(block: tuple[str, str, str, str]) -> tuple[str, str, str]:
    """A block without what is translated: why it is not run, and comments."""
    mark, what, language, text = block
    lines = [re.sub(r"\s*#.*", "", line) for line in text.splitlines()] if language == "sh" else [text]
    return mark, what if mark == "file" else "", "\n".join(line for line in lines if line)


def script(blocks: list[tuple[str, str, str, str]]) -> str:
    lines = ["set -eu -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for mark, what, language, text in blocks:
        if mark == "not run":
            continue
        if mark == "file":
            lines.append(f"mkdir -p \"$(dirname '{what}')\"; cat > '{what}' <<'END_OF_FILE'\n{text}END_OF_FILE")
            continue
        lines.append(f"cat >&2 <<'END_OF_BLOCK'\n== {text.rstrip()}\nEND_OF_BLOCK")
        if mark == "serves":
            lines.append(f"{text.rstrip()} 2> server.log &")
            lines.append(f"for _ in $(seq {LISTENING}); do grep -q listening server.log && break; read -t 1 <> <(:) || true; done")
            lines.append("grep listening server.log >&2 || { cat server.log >&2; exit 1; }")
        else:
            lines.append(text)
    return "\n".join(lines) + "\n"


def prepare(folder: pathlib.Path, binaries: pathlib.Path, model: str) -> None:
    """What `make demo` leaves: the data and the adapter."""
    out = folder / "build/demo"
    out.mkdir(parents=True)
    subprocess.run([binaries / "FireflyDemoData", out], check=True, stdout=subprocess.DEVNULL)
    settings = {"model_name_or_path": model, "train_file": out / "train.jsonl", "output_dir": out / "run", "max_steps": 2,
                "template_name": "auto"}  # fmt: skip
    command = [binaries / "firefly", "train", ROOT / "demo/config.json"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--model")
    options = parser.parse_args()
    english, chinese = blocks("README.md"), blocks("README.zh-CN.md")
    if [comparable(block) for block in english] != [comparable(block) for block in chinese]:
        for one, other in zip(english, chinese):
            if comparable(one) != comparable(other):
                print(f"README.md and README.zh-CN.md differ:\n{one[3]}\n--\n{other[3]}")
                break
        else:
            print(f"README.md has {len(english)} blocks, README.zh-CN.md {len(chinese)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="firefly-readme-") as name:
        folder = pathlib.Path(name)
        tiny_model.write(folder / "tiny")
        model = os.path.abspath(options.model) if options.model else str(folder / "tiny")
        prepare(folder, options.binaries.resolve(), model)
        environment = os.environ | {
            "PATH": f"{options.binaries.resolve()}:{os.environ['PATH']}", "MODEL": model, "HOME": name}  # fmt: skip
        (folder / "run.sh").write_text(script(english))
        code = subprocess.run(["bash", "run.sh"], cwd=folder, env=environment, stdout=subprocess.DEVNULL).returncode
    commands = sum(block[2] == "sh" and block[0] != "not run" for block in english)
    print(f"{commands} blocks of README.md ran" if code == 0 else f"README.md: the last block above ended with {code}")
    return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
