#!/usr/bin/env python3
"""Writes Tests/TextTests/Fixtures/continued/cases.json: what transformers' apply_chat_template(continue_final_message=True) makes of
conversations that end within an answer, with the templates in chat_templates/.

    python tools/reference/continuation_fixtures.py

Needs transformers, jinja2 (requirements.txt).
"""

import importlib.metadata
import json
import pathlib

from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parents[1] / "Tests/TextTests/Fixtures/continued/cases.json"

BEGINNINGS = [
    "The answer is", "The answer is ", "  Leading and 中文", "line\n", "<think>\nhalf a thought", "<think>\na thought\n</think>\n\nSo",
    "<think>\na thought\n</think>", "END_OF_TEXT", "four",
]  # fmt: skip
HISTORIES = {
    "one question": [{"role": "user", "content": "What is 2+2?"}],
    "system": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}],
    "two turns": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "four"}, {"role": "user", "content": "b"}],
}  # fmt: skip


def continued(source: str, messages: list) -> dict:
    try:
        rendered, _ = chat_template_utils.render_jinja_template(
            [messages], chat_template=source, continue_final_message=True, bos_token="<s>", eos_token="</s>")
        return {"text": rendered[0]}
    except Exception as error:  # whatever Python raises, it is not supported
        return {"error": f"{type(error).__name__}: {error}"[:80]}


def main() -> None:
    cases = []
    for path in sorted((HERE / "chat_templates").glob("*.jinja")):
        for history in HISTORIES.values():
            for beginning in BEGINNINGS:
                messages = history + [{"role": "assistant", "content": beginning}]
                cases.append({"template": path.stem, "messages": messages, **continued(path.read_text(), messages)})
    document = {"transformers": importlib.metadata.version("transformers"), "cases": cases}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
