#!/usr/bin/env python3
"""Renders conversations with tools and reasoning through real chat templates, by transformers and by `firefly data`; the texts
must be equal, byte for byte.

    python tools/reference/template_check.py [-v] FIREFLY TOKENIZER TEMPLATE.jinja…

FIREFLY is the program, TOKENIZER a folder with a byte-level tokenizer.json (which spells any text), the templates are those that
models publish. Needs transformers (requirements.txt). A conversation that transformers' template refuses must be refused or left
out, too; some are refused because no answer can be told from what surrounds it. Arguments that are an object or its JSON text
must render alike; templates that can only join a text to them are given the text by transformers' side. -v prints what is
learnt of each.
"""

import copy
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from transformers.utils import chat_template_utils

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
SPECIAL = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>"}
VARIABLES = [{}, {"enable_thinking": False}]


def reference(source, messages, tools, variables):
    shared = SPECIAL | variables
    try:
        text, _ = chat_template_utils.render_jinja_template([messages], tools=tools, chat_template=source, **shared)
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


def write_tokenizer(given, source, folder):
    """The tokenizer with the special tokens that the template spells."""
    document = json.loads((given / "tokenizer.json").read_text(encoding="utf-8"))
    known = {token["content"] for token in document["added_tokens"]}
    first = max([*document["model"]["vocab"].values(), *(token["id"] for token in document["added_tokens"])]) + 1
    spelled = sorted(set(re.findall(r"<[|｜][^<>|｜ ]+[|｜]>|<(?:start|end)_of_turn>|\[/?[A-Z_]+\]", source)) - known)
    for id, token in enumerate(spelled, first):
        kinds = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
        document["added_tokens"].append({"id": id, "content": token, **kinds, "special": True})
    (folder / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(SPECIAL))


class RowClock(datetime.datetime):
    """The day that rows are written on."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2024, 7, 26, 10, 0, 0)


def main() -> None:
    chat_template_utils.datetime = RowClock
    program, tokenizer, *templates = [argument for argument in sys.argv[1:] if argument != "-v"]
    equal, refused, wrong = 0, 0, 0
    for path in map(pathlib.Path, templates):
        source = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_tokenizer(pathlib.Path(tokenizer), source, folder)
            (folder / "chat_template.jinja").write_text(source, encoding="utf-8")
            for title, (messages, tools) in ROWS.items():
                for variables in VARIABLES if "enable_thinking" in source else [{}]:
                    expected = reference(source, messages, tools, variables)
                    if isinstance(expected, Exception):
                        expected = reference(source, with_text(messages), tools, variables)
                    for given in [messages, with_text(messages)] if "call" in title else [messages]:
                        found, note = firefly(program, folder, given, tools, variables)
                        if found == expected:
                            equal += 1
                            if "-v" in sys.argv:
                                print(f"{path.name}, {title}: {note}")
                        elif found is None and (isinstance(expected, Exception) or "no place for" in note or "cannot find" in note):
                            refused += 1
                        else:
                            wrong += 1
                            print(f"{path.name}, {title}, {variables}:\n  {expected!r}\n  {found!r}\n  {note}")
    print(f"{equal} texts equal, {refused} refused or left out, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
