#!/usr/bin/env python3
"""The openai package, unchanged, against a running `firefly serve`: chat, streams, log-probabilities, JSON schemas, tools, errors.

    python tools/server_check/openai_client.py http://127.0.0.1:8000 MODEL [OTHER_MODEL]

Needs openai and pydantic. Ends with status 1 at the first thing that is not as it should be.
"""

import enum
import json
import sys

import openai
import pydantic

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Part(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=20)
    count: int = pydantic.Field(ge=1, le=20)
    colour: Colour | None


class Order(pydantic.BaseModel):
    customer: str = pydantic.Field(max_length=20)
    parts: list[Part] = pydantic.Field(min_length=1, max_length=3)


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str = pydantic.Field(max_length=20)
    days: int = pydantic.Field(ge=1, le=7)


def structured(client: openai.OpenAI, model: str) -> None:
    """Whatever the model, its answer is of the schema, whole and streamed."""
    for seed in range(4):
        answer = client.chat.completions.parse(
            model=model, messages=QUESTION, response_format=Order, temperature=1, seed=seed, max_tokens=400)
        assert answer.choices[0].message.parsed.parts, answer
        print("schema:", answer.choices[0].message.content)
    stream = client.chat.completions.create(
        model=model, messages=QUESTION, response_format={"type": "json_object"}, max_tokens=200, stream=True)
    text = "".join(part.choices[0].delta.content or "" for part in stream)
    print("object:", text)
    if text.rstrip().endswith("}"):
        json.loads(text)


def tools(client: openai.OpenAI, model: str) -> None:
    """For a model whose template has tools: a forced call is of its schema, and what came of it goes back."""
    described = [openai.pydantic_function_tool(Weather, name="weather")]
    try:
        forced = client.chat.completions.parse(
            model=model, messages=QUESTION, tools=described, tool_choice="required", max_tokens=200)
    except openai.BadRequestError as error:
        assert error.param == "tools", error
        print("tools:", error.message)
        return
    call = forced.choices[0].message.tool_calls[0]
    print("call:", call.function.name, call.function.arguments)
    assert call.function.parsed_arguments.days in range(1, 8)
    assert forced.choices[0].finish_reason == "tool_calls"
    with client.chat.completions.stream(
        model=model, messages=QUESTION, tools=described, max_tokens=200,
        tool_choice={"type": "function", "function": {"name": "weather"}},
    ) as stream:
        stream.until_done()
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "weather"
    said = client.chat.completions.create(
        model=model, tools=described, max_tokens=40,
        messages=[*QUESTION, forced.choices[0].message.model_dump(exclude_unset=True),
                  {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}])
    print("after the call:", said.choices[0].message.content)


def main() -> None:
    base, model = sys.argv[1:3]
    client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0)
    names = [entry.id for entry in client.models.list()]
    assert model in names, names

    whole = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=40)
    text = whole.choices[0].message.content
    print("chat:", text)
    assert whole.choices[0].finish_reason in ("stop", "length")
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens

    stream = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=40, stream=True, stream_options={"include_usage": True})
    parts = list(stream)
    assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices) == text
    assert parts[-1].usage == whole.usage.model_copy(
        update={"prompt_tokens_details": parts[-1].usage.prompt_tokens_details})
    assert [part.choices[0].finish_reason for part in parts if part.choices][-1] == whole.choices[0].finish_reason

    scored = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=40, logprobs=True, top_logprobs=5)
    content = scored.choices[0].logprobs.content
    assert "".join(entry.token for entry in content) == text or any(e.token.startswith("bytes:") for e in content)
    assert b"".join(bytes(entry.bytes) for entry in content).decode() == text
    assert all(entry.top_logprobs[0].logprob == entry.logprob for entry in content)  # greedy
    assert all(len(entry.top_logprobs) == 5 for entry in content)

    first = text.split()[1]
    stopped = client.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=40, stop=[first], stream=True)
    shown = "".join(part.choices[0].delta.content or "" for part in stopped)
    assert shown == text[: text.index(first)], shown

    def sampled(seed: int) -> list[str]:
        answer = client.chat.completions.create(
            model=model, messages=QUESTION, temperature=1.5, seed=seed, n=3, max_tokens=20,
            presence_penalty=0.5, frequency_penalty=0.5)
        return [choice.message.content for choice in answer.choices]

    assert sampled(1) == sampled(1) != sampled(2)

    completion = client.completions.create(model=model, prompt="One, two, three,", temperature=0, max_tokens=8)
    print("completion:", completion.choices[0].text)
    for echoed in (0, 1):
        answer = client.completions.create(
            model=model, prompt="One, two, three,", temperature=0, max_tokens=echoed, echo=True, logprobs=1)
        assert answer.choices[0].logprobs.token_logprobs[0] is None
        assert len(answer.choices[0].logprobs.token_logprobs) == answer.usage.total_tokens

    refusals = [
        (openai.NotFoundError, dict(model="no-such-model", messages=QUESTION), "model", "model_not_found"),
        (openai.BadRequestError, dict(model=model, messages=[]), "messages", None),
        (openai.BadRequestError, dict(model=model, messages=QUESTION, temperature=5), "temperature", None),
        (openai.BadRequestError, dict(model=model, messages=QUESTION, extra_body={"temprature": 1}),
         "temprature", "unknown_parameter"),
        (openai.BadRequestError, dict(model=model, messages=[
            {"role": "user", "content": "word " * 20000}]), "messages", "context_length_exceeded"),
    ]
    for kind, arguments, parameter, code in refusals:
        try:
            client.chat.completions.create(**arguments)
        except kind as error:
            assert error.param == parameter and error.code == code, error
        else:
            raise AssertionError(f"not refused: {parameter}")

    try:
        client.embeddings.create(model=model, input="x")
    except openai.NotFoundError as error:
        assert error.code == "unsupported_path", error
    assert client.models.retrieve(model).id == model

    structured(client, model)
    tools(client, model)

    for other in sys.argv[3:]:
        answer = client.chat.completions.create(model=other, messages=QUESTION, temperature=0, max_tokens=40)
        print(f"{other}:", answer.choices[0].message.content)
    print("openai", openai.__version__, "agrees")


if __name__ == "__main__":
    main()
