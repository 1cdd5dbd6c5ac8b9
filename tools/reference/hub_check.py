#!/usr/bin/env python3
"""Firefly and huggingface_hub (and modelscope, where it is installed) share their caches: what `firefly download` has
fetched is found by huggingface_hub without a network, and what those two keep is found by Firefly. Exits 1 otherwise.

    python tools/reference/hub_check.py --firefly .build/release/firefly

The hub is a small one on this machine that both are pointed at by HF_ENDPOINT; nothing else is asked.
Needs: pip install huggingface_hub [modelscope]
"""

import argparse
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "Tests/CLITests/Fixtures/model"
NAME = "tiny/model.1"
COMMIT = "c0ffee01" * 5
LARGE = {"model.safetensors"}
EXTRA = {"README.md": b"# Tiny\n", "onnx/model.onnx": b"not wanted"}


def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in MODEL.iterdir()} | EXTRA


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    """Listings, metadata and contents as huggingface.co gives them; large files lie behind a redirection."""

    protocol_version = "HTTP/1.1"
    fetched: list[str] = []

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.respond()

    def do_GET(self):
        self.respond()

    def respond(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path.startswith(f"/api/models/{NAME}/revision/"):
            return self.json({"_id": "1", "id": NAME, "modelId": NAME, "sha": COMMIT, "siblings": [
                {"rfilename": name, "size": len(content), "blobId": git_hash(content)} | self.lfs(name, content, "sha256")
                for name, content in sorted(files().items())]})  # fmt: skip
        if path.startswith(f"/api/models/{NAME}/tree/"):
            return self.json([
                {"type": "file", "path": name, "size": len(content), "oid": git_hash(content)} | self.lfs(name, content, "oid")
                for name, content in sorted(files().items())])  # fmt: skip
        for prefix in (f"/{NAME}/resolve/{COMMIT}/", f"/{NAME}/resolve/main/", "/content/"):
            name = path.removeprefix(prefix)
            if path.startswith(prefix) and name in files():
                return self.file(name, files()[name], direct=prefix == "/content/")
        self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

    @staticmethod
    def lfs(name: str, content: bytes, key: str) -> dict:
        pointer = {key: hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
        return {"lfs": pointer} if name in LARGE else {}

    def file(self, name: str, content: bytes, direct: bool):
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{git_hash(content)}"', "Accept-Ranges": "bytes"}
        if name in LARGE and not direct:
            headers |= {
                "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content)),
                "Location": f"http://localhost:{self.server.server_port}/content/{name}",
            }  # fmt: skip
            return self.send(302, b"", headers)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.command == "GET":
            Hub.fetched.append(name)
        self.send(206 if start else 200, content[start:], headers)

    def json(self, value):
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def send(self, status: int, body: bytes, headers: dict[str, str]):
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def check(what: str, holds: bool):
    print(f"{'ok   ' if holds else 'WRONG'}  {what}")
    check.failed |= not holds


check.failed = False


class Machine:
    """Both programs with one cache, and no other settings of the user's."""

    def __init__(self, firefly: pathlib.Path, folder: pathlib.Path, endpoint: str):
        self.firefly, self.cache = firefly, folder / "hub"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "MODELSCOPE_"))}
        self.environment = inherited | {
            "HF_HUB_CACHE": str(self.cache), "HF_HOME": str(folder), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1",
            "MODELSCOPE_CACHE": str(folder / "modelscope"), "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }  # fmt: skip

    def run(self, *words: str) -> str:
        result = subprocess.run([self.firefly, *words], env=self.environment, capture_output=True, text=True)
        return result.stdout.strip() if result.returncode == 0 else f"failed: {result.stderr}"

    def python(self, code: str):
        """What `result` is after `code`, in a process that reads the environment anew."""
        text = f"import json\n{code}\nprint('RESULT ' + json.dumps(result))"
        run = subprocess.run([sys.executable, "-c", text], env=self.environment, capture_output=True, text=True)
        lines = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
        return json.loads(lines[-1][7:]) if lines else f"failed: {run.stderr}"

    def found(self, name: str = NAME) -> str:
        """The folder that Firefly finds for a name."""
        return self.run("inspect", name).split(": model")[0]


def ours_is_theirs(machine: Machine):
    path = machine.run("download", NAME)
    read = sorted(set(files()) - set(EXTRA))
    check("firefly download fetches what it reads", sorted(p.name for p in pathlib.Path(path).iterdir()) == read)
    code = f"import huggingface_hub as h\nresult = h.snapshot_download({NAME!r}, local_files_only=True)"
    check("snapshot_download(local_files_only=True) finds it", machine.python(code) == path)
    for name in read:
        code = f"import huggingface_hub as h\nresult = h.try_to_load_from_cache({NAME!r}, {name!r})"
        check(f"try_to_load_from_cache finds {name}", machine.python(code) == f"{path}/{name}")
    code = "import huggingface_hub as h\nscan = h.scan_cache_dir()\nresult = [len(scan.warnings)] + [r.repo_id for r in scan.repos]"
    check("scan_cache_dir sees one whole model", machine.python(code) == [0, NAME])
    Hub.fetched.clear()
    code = f"import huggingface_hub as h\nresult = h.snapshot_download({NAME!r}, allow_patterns={read!r})"
    check("snapshot_download fetches nothing again", machine.python(code) == path and not Hub.fetched)


def theirs_is_ours(machine: Machine):
    path = machine.python(f"import huggingface_hub as h\nresult = h.snapshot_download({NAME!r})")
    check("firefly finds what snapshot_download fetched", machine.found() == path)
    check("and by its commit", machine.found(f"{NAME}@{COMMIT}") == path)
    Hub.fetched.clear()
    check("firefly download fetches nothing again", machine.run("download", NAME) == path and not Hub.fetched)


def both_at_once(machine: Machine):
    code = f"import huggingface_hub as h\nresult = h.snapshot_download({NAME!r})"
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(machine.python(code))) for _ in range(2)]
    threads += [threading.Thread(target=lambda: results.append(machine.run("download", NAME))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("two of each at the same time agree", len(results) == 4 and len(set(results)) == 1)
    same = all(pathlib.Path(results[0], name).read_bytes() == content for name, content in files().items())
    check("and the files are right", same)


def modelscopes_is_ours(machine: Machine, folder: pathlib.Path):
    owner, name = NAME.split("/")
    masked = name.replace(".", "___")
    for layout in (f"models/{owner}/{masked}", f"hub/models/{owner}/{masked}", f"models/{owner}--{name}/snapshots/master",
                   f"models/{owner}--{name}/snapshots/v2", f"{owner}/{masked}", f"hub/{owner}/{name}"):  # fmt: skip
        machine.environment["MODELSCOPE_CACHE"] = str(folder / layout.replace("/", "-"))
        place = pathlib.Path(machine.environment["MODELSCOPE_CACHE"], layout)
        place.mkdir(parents=True)
        for file, content in files().items():
            (place / file).parent.mkdir(exist_ok=True)
            (place / file).write_bytes(content)
        code = f"from modelscope import snapshot_download\nresult = snapshot_download({NAME!r}, local_files_only=True)"
        theirs = machine.python(code)
        check(f"modelscope and firefly find {layout}", machine.found() == theirs.rstrip("/") == str(place))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    firefly = parser.parse_args().firefly.resolve()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary).resolve()
        machines = [Machine(firefly, folder / name, endpoint) for name in ("ours", "theirs", "both", "modelscope")]
        print("huggingface_hub", machines[0].python("import huggingface_hub\nresult = huggingface_hub.__version__"))
        ours_is_theirs(machines[0])
        theirs_is_ours(machines[1])
        both_at_once(machines[2])
        version = machines[3].python("import modelscope\nresult = modelscope.__version__")
        if version.startswith("failed"):
            print("modelscope is not installed: its caches were not compared")
        else:
            print("modelscope", version)
            modelscopes_is_ours(machines[3], folder)
    server.shutdown()
    sys.exit(check.failed)


if __name__ == "__main__":
    main()
