#!/usr/bin/env python3
"""Concurrent streaming clients against a running `firefly serve`: errors, mixed-up answers, memory, speed.

    python tools/server_check/load.py http://127.0.0.1:8000 MODEL --pid PID [--clients 64] [--seconds 60]

Each client streams greedy answers, one after the other, to prompts out of a set whose answers were first taken
alone. Prints requests, tokens a second and the server's memory over time; ends with status 1 on any error or any
answer that differs. With --ratio, measures tokens a second of 1 and of 8 clients instead.
"""

import argparse
import asyncio
import json
import pathlib
import sys
import time
import urllib.parse

SUBJECTS = ["the sea", "a cat", "bread", "snow", "a train", "music", "the moon", "a garden", "old books", "rain"]
TASKS = ["Write one sentence about {}.", "List three words about {}.", "Ask a question about {}.", "用一句话说说 {}。"]


async def post(url: urllib.parse.SplitResult, body: dict) -> tuple[str, int, float]:
    """A streamed completion over a plain socket: text, tokens, seconds to the first token."""
    data = json.dumps(body).encode()
    started = time.monotonic()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    try:
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode() + (await reader.read(2000)).decode(errors="replace"))
        text, tokens, first = "", 0, None
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            if line == b"data: [DONE]\n":
                return text, tokens, first or 0
            part = json.loads(line[6:])
            if "error" in part:
                raise RuntimeError(str(part["error"]))
            if part.get("usage"):
                tokens = part["usage"]["completion_tokens"]
            for choice in part["choices"]:
                if choice["delta"].get("content"):
                    first = first or time.monotonic() - started
                    text += choice["delta"]["content"]
        raise RuntimeError("the stream ended before [DONE]")
    finally:
        writer.close()


def request(model: str, prompt: str, tokens: int) -> dict:
    return {
        "model": model, "messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": tokens,
        "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip


def memory(pid: int | None) -> float:
    """Resident MiB of the server."""
    if not pid:
        return float("nan")
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


async def measured(url, model: str, prompts: list[str], clients: int, seconds: float, tokens: int) -> float:
    """Tokens a second of `clients` clients that never pause."""
    end = time.monotonic() + seconds
    total = 0

    async def client(number: int) -> None:
        nonlocal total
        turn = number
        while time.monotonic() < end:
            _, count, _ = await post(url, request(model, prompts[turn % len(prompts)], tokens))
            total += count  # after the await: `total += await …` would forget what others added meanwhile
            turn += clients

    started = time.monotonic()
    await asyncio.gather(*[client(number) for number in range(clients)])
    return total / (time.monotonic() - started)


async def loaded(url, arguments, prompts: list[str]) -> int:
    alone = {}
    for prompt in prompts:
        alone[prompt], _, _ = await post(url, request(arguments.model, prompt, arguments.tokens))
    print(f"{len(prompts)} prompts answered alone, {len(set(alone.values()))} different answers", flush=True)
    end = time.monotonic() + arguments.seconds
    counts = {"requests": 0, "tokens": 0, "errors": 0, "differ": 0}
    waits: list[float] = []

    async def client(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            prompt = prompts[turn % len(prompts)]
            turn += 7
            try:
                text, tokens, first = await post(url, request(arguments.model, prompt, arguments.tokens))
            except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
                counts["errors"] += 1
                print("error:", str(error)[:300])
                continue
            counts["requests"] += 1
            counts["tokens"] += tokens
            waits.append(first)
            if text != alone[prompt]:
                counts["differ"] += 1
                print(f"differs: {prompt!r}\n  alone    {alone[prompt]!r}\n  together {text!r}")

    async def watch() -> None:
        while time.monotonic() < end:
            print(f"  {memory(arguments.pid):.0f} MiB, {counts['requests']} requests", flush=True)
            await asyncio.sleep(arguments.seconds / 6)

    started = time.monotonic()
    await asyncio.gather(watch(), *[client(number) for number in range(arguments.clients)])
    elapsed = time.monotonic() - started
    waits.sort()
    print(
        f"{arguments.clients} clients, {elapsed:.0f} s: {counts['requests']} requests, {counts['errors']} errors, "
        f"{counts['differ']} differ, {counts['tokens'] / elapsed:.1f} tokens/s, first token after "
        f"{waits[len(waits) // 2]:.2f} s (median), {waits[-1]:.2f} s (most), {memory(arguments.pid):.0f} MiB at the end")
    return 1 if counts["errors"] or counts["differ"] or not counts["requests"] else 0


async def run(arguments) -> int:
    url = urllib.parse.urlsplit(arguments.url)
    prompts = [task.format(subject) for subject in SUBJECTS for task in TASKS]
    if not arguments.ratio:
        return await loaded(url, arguments, prompts)
    await measured(url, arguments.model, prompts, 1, 3, arguments.tokens)
    one = await measured(url, arguments.model, prompts, 1, arguments.seconds, arguments.tokens)
    eight = await measured(url, arguments.model, prompts, 8, arguments.seconds, arguments.tokens)
    print(f"1 client {one:.1f} tokens/s, 8 clients {eight:.1f} tokens/s: {eight / one:.2f} times")
    return 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--ratio", action="store_true")
    sys.exit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
