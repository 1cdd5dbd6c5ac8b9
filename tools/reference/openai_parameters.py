#!/usr/bin/env python3
"""Writes Tests/ServerTests/Fixtures/openai_parameters.json: every parameter of the openai package's chats and completions,
each with values of its type.

    python tools/reference/openai_parameters.py

Needs openai; its version stands in the file.
"""

import collections.abc
import json
import pathlib
import types
import typing

import openai
import typing_extensions
from openai.types import completion_create_params as completion
from openai.types.chat import completion_create_params as chat

OUT = pathlib.Path(__file__).parents[2] / "Tests/ServerTests/Fixtures/openai_parameters.json"
DEEPEST = 4
MOST = 8  # values of a parameter


def values(kind, depth=0):
    """A few values of a type; of a union, of each part."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return [value for part in arguments for value in values(part, depth)]
    if origin is typing.Literal:
        return list(arguments)
    if origin in (typing.Required, typing.NotRequired, typing.Annotated):
        return values(arguments[0], depth)
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence):
        return [[value] for value in values(arguments[0], depth + 1)][:3]
    if origin is dict or kind is dict:
        return [{}]
    if typing_extensions.is_typeddict(kind):
        if depth > DEEPEST:
            return []
        return [{
            name: found[0]
            for name, part in typing.get_type_hints(kind).items()
            if (found := values(part, depth + 1)) and found[0] is not None
        }]
    simple = {str: ["x"], int: [1], float: [0.5], bool: [True, False], type(None): [None], object: [{}]}
    return simple.get(kind, [])


def parameters(base):
    return {name: values(kind)[:MOST] for name, kind in typing.get_type_hints(base).items()}


def main() -> None:
    both = {
        "/v1/chat/completions": parameters(chat.CompletionCreateParamsBase),
        "/v1/completions": parameters(completion.CompletionCreateParamsBase),
    }
    for path in both:
        both[path]["stream"] = [True, False]
    document = {"openai": openai.__version__, "paths": both}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
