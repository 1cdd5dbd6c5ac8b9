#!/usr/bin/env python3
"""Renders conversations with tools and reasoning through real chat templates, by transformers and by Firefly: rows by `firefly
data`, prompts by `firefly serve`. The texts must be equal, byte for byte.

    python tools/reference/template_check.py [-v] FIREFLY (TEMPLATE.jinja | FOLDER)…

FIREFLY is the program; the templates are those that models publish, a folder stands for all its *.jinja. The tokenizer is one of
bytes, which spells any text, with the special tokens that the template spells. Needs transformers (requirements.txt). A conversation
that transformers' template refuses must be refused or left out, too; some are refused because no answer can be told from what
surrounds it. Arguments that are an object or its JSON text must render alike; templates that can only join a text to them are given
the text by transformers' side. -v prints what is learnt of each row, and what the server tells beside a prompt.
"""

import copy
import datetime
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from transformers.utils import chat_template_utils

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "readme_check"))
import tiny_model  # noqa: E402

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Tells the weather\nof a \"city\".",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "Name, such as 北京"}, "days": {"type": "integer", "default": 1}},
            "required": ["city"]}}},
    {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}},
]  # fmt: skip


def user(text): return {"role": "user", "content": text}  # noqa: E704
def system(text): return {"role": "system", "content": text}  # noqa: E704
def answer(text, **more): return {"role": "assistant", "content": text, **more}  # noqa: E704
def call(name, arguments, id): return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}  # noqa: E704
def result(text, id): return {"role": "tool", "tool_call_id": id, "name": "get_weather", "content": text}  # noqa: E704


WEATHER = call("get_weather", {"city": "北京", "days": 2, "exact": True, "limit": None, "share": 0.5, "z": [1, "a"], "b": {"y": 1, "x": 2}}, "abc123def")
TIME = call("now", {}, "abc123deg")
ROWS = {
    "tools alone": ([user("Hi"), answer("Hello.")], TOOLS),
    "tools and system": ([system("Be brief."), user("Hi"), answer("Hello.")], TOOLS),
    "call": ([user("Weather?"), answer("", tool_calls=[WEATHER]), result('{"sky": "clear"}', "abc123def"), answer("Clear.")], TOOLS),
    "call, null content": ([user("Weather?"), answer(None, tool_calls=[WEATHER]), result("clear", "abc123def"), answer("Clear.")], TOOLS),
    "call, no content": ([user("Weather?"), {"role": "assistant", "tool_calls": [WEATHER]}, result("clear", "abc123def"), answer("Clear.")], TOOLS),
    "call with text": ([user("Weather?"), answer("Let me look.", tool_calls=[WEATHER]), result("clear", "abc123def"), answer("Clear.")], TOOLS),
    "call last": ([system("S"), user("a"), answer("b"), user("Weather?"), answer("", tool_calls=[WEATHER])], TOOLS),
    "two calls": ([user("Weather and time?"), answer("", tool_calls=[WEATHER, TIME]), result("clear", "abc123def"),
                   result("noon", "abc123deg"), answer("Clear at noon."), user("Thanks"), answer("Bye")], TOOLS),
    "call without tools": ([user("Weather?"), answer("", tool_calls=[WEATHER]), result("clear", "abc123def"), answer("Clear.")], None),
    "reasoning beside": ([user("q"), answer("The answer.", reasoning_content="Let me think.")], None),
    "thinking beside": ([user("q"), answer("The answer.", thinking="Let me think.")], None),
    "reasoning in two turns": ([user("q"), answer("One.", reasoning_content="r1"), user("p"), answer("Two.", reasoning_content="r2")], None),
    "reasoning inside": ([user("q"), answer("<think>\nLet me think.\n</think>\n\nThe answer.")], None),
    "reasoning inside, two turns": ([user("q"), answer("<think>\nr1\n</think>\n\nOne."), user("p"), answer("<think>\nr2\n</think>\n\nTwo.")], None),
    "reasoning and call": ([user("q"), answer("", reasoning_content="I need it.", tool_calls=[WEATHER]), result("x", "abc123def"),
                            answer("So.", reasoning_content="Now I know.")], TOOLS),
}  # fmt: skip
PROMPTS = {
    "plain": ([user("Hi")], None),
    "system": ([system("Be brief."), user("Hi")], None),
    "turns": ([system("S"), user("a"), answer("b"), user(" c\n")], None),
    "tools": ([user("Hi")], TOOLS),
    "tools and system": ([system("Be brief."), user("Hi")], TOOLS),
    "results": ([user("Weather?"), answer("", tool_calls=[WEATHER]), result('{"sky": "clear"}', "abc123def")], TOOLS),
    "results of two": ([system("S"), user("Weather and time?"), answer("Let me look.", tool_calls=[WEATHER, TIME]),
                        result("clear", "abc123def"), result("noon", "abc123deg")], TOOLS),
    "calls in two rounds": ([user("Weather?"), answer("", tool_calls=[WEATHER]), result("clear", "abc123def"), answer("", tool_calls=[TIME]),
                             result("noon", "abc123deg"), answer("Clear."), user("Thanks")], TOOLS),
    "reasoning before": ([user("q"), answer("One.", reasoning_content="r1"), user("p")], None),
    "reasoning inside, before": ([user("q"), answer("<think>\nr1\n</think>\n\nOne."), user("p")], None),
    "reasoning and call": ([user("q"), answer("", reasoning_content="I need it.", tool_calls=[WEATHER]), result("x", "abc123def")], TOOLS),
    "two users": ([user("a"), user("b")], None),
    "answer first": ([answer("Hello."), user("a")], None),
    "system late": ([user("a"), answer("b"), system("S"), user("c")], None),
}  # fmt: skip
SPECIAL = {"bos_token": "<s>", "eos_token": "<|im_end|>"}


def variables(source):
    """What the template may be told."""
    named = [name for name in ("enable_thinking", "thinking") if re.search(rf"\b{name} is (not )?defined|if {name}\b|not {name}\b", source)]
    effort = [{"reasoning_effort": "low"}] if "reasoning_effort" in source else []
    return [{}] + [{name: flag} for name in named for flag in (True, False)] + effort


def reference(source, messages, tools, variables, for_answer=False):
    shared = SPECIAL | variables
    try:
        text, _ = chat_template_utils.render_jinja_template(
            [messages], tools=tools, chat_template=source, add_generation_prompt=for_answer, **shared)
        return text[0]
    except Exception as error:  # whatever Python raises, the template refuses
        return error


def with_text(messages):
    """The arguments as JSON text."""
    messages = copy.deepcopy(messages)
    for message in messages:
        for made in message.get("tool_calls", []):
            made["function"]["arguments"] = json.dumps(made["function"]["arguments"], ensure_ascii=False)
    return messages


def firefly(program, folder, messages, tools, variables):
    row = {"messages": messages} | ({"tools": tools} if tools else {})
    (folder / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
    config = {
        "model_name_or_path": str(folder), "train_file": str(folder / "rows.jsonl"), "template_name": "auto",
        "output_dir": str(folder / "out"), "max_seq_length": 100000, "bf16": True, "data_cache": "off", "chat_template_kwargs": variables,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(config))
    run = subprocess.run([program, "data", str(folder / "run.json"), "--json"], capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip()
    shown = json.loads(run.stdout)
    tokens = shown["row"]["tokens"]
    targets = re.sub(r"\0+", " ¦ ", "".join(token["text"] if token["target"] else "\0" for token in tokens)).strip(" ¦")
    return "".join(token["text"] for token in tokens), targets


class Server:
    """`firefly serve` with the model of a folder."""

    def __init__(self, program, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [program, "serve", str(folder), "--port", str(self.port), "--device", "cpu"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health").read()
                return
            except OSError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.05)

    def prompt(self, messages, tools, variables):
        body = {"messages": messages, "chat_template_kwargs": variables} | ({"tools": tools} if tools else {})
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/apply-template", json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            reply = json.load(urllib.request.urlopen(request))
        except urllib.error.HTTPError as error:
            return None, json.load(error)["error"]["message"]
        return reply["prompt"], reply.get("warnings", [])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def write_model(source, folder):
    """A tiny model whose tokenizer has the special tokens that the template spells."""
    first = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    spelled = set(re.findall(r"<[|｜][^<>|｜ ]+[|｜]>|<(?:start|end)_of_turn>|\[/?[A-Z_]+\]", source))
    tiny_model.SPECIAL = first + sorted(spelled - set(first))
    tiny_model.VOCABULARY = 256 + len(tiny_model.SPECIAL)
    tiny_model.write(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 1 << 20}))
    (folder / "tokenizer_config.json").write_text(json.dumps(SPECIAL))
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")


class Clock(datetime.datetime):
    """Rows are written on one day, prompts on today's."""

    writes_rows = True

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2024, 7, 26, 10, 0, 0) if cls.writes_rows else super().now(tz)


class Count:
    equal, refused, wrong = 0, 0, 0


def compare(expected, found, note, title):
    if found == expected:
        Count.equal += 1
        if "-v" in sys.argv:
            print(f"{title}: {note}")
    elif found is None and (isinstance(expected, Exception) or "no place for" in str(note) or "cannot find" in str(note)):
        Count.refused += 1
    else:
        Count.wrong += 1
        print(f"{title}:\n  {expected!r}\n  {found!r}\n  {note}")


def check(program, name, source, folder):
    write_model(source, folder)
    server = Server(program, folder)
    for is_row, conversations in ((True, ROWS), (False, PROMPTS)):
        Clock.writes_rows = is_row
        for title, (messages, tools) in conversations.items():
            for told in variables(source):
                expected = reference(source, messages, tools, told, for_answer=not is_row)
                if isinstance(expected, Exception):
                    expected = reference(source, with_text(messages), tools, told, for_answer=not is_row)
                calls = any("tool_calls" in message for message in messages)
                for given in [messages] + ([with_text(messages)] if calls and not told else []):
                    found, note = firefly(program, folder, given, tools, told) if is_row else server.prompt(given, tools, told)
                    compare(expected, found, note, f"{name}, {'row' if is_row else 'prompt'}, {title}, {told}")
    server.stop()


def main() -> None:
    chat_template_utils.datetime = Clock
    program, *given = [argument for argument in sys.argv[1:] if argument != "-v"]
    for path in map(pathlib.Path, given):
        for template in sorted(path.glob("*.jinja")) if path.is_dir() else [path]:
            with tempfile.TemporaryDirectory() as folder:
                check(program, template.name, template.read_text(encoding="utf-8"), pathlib.Path(folder))
    print(f"{Count.equal} texts equal, {Count.refused} refused or left out, {Count.wrong} wrong")
    sys.exit(Count.wrong > 0)


if __name__ == "__main__":
    main()
