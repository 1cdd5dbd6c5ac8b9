#!/usr/bin/env python3
"""The openai package, unchanged, against a running `firefly serve`: chat, streams, log-probabilities, errors.

    python tools/server_check/openai_client.py http://127.0.0.1:8000 MODEL [OTHER_MODEL]

Needs openai. Ends with status 1 at the first thing that is not as it should be.
"""

import sys

import openai

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


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
        (openai.BadRequestError, dict(model=model, messages=QUESTION, tools=[
            {"type": "function", "function": {"name": "f"}}]), "tools", "unsupported"),
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

    for other in sys.argv[3:]:
        answer = client.chat.completions.create(model=other, messages=QUESTION, temperature=0, max_tokens=40)
        print(f"{other}:", answer.choices[0].message.content)
    print("openai", openai.__version__, "agrees")


if __name__ == "__main__":
    main()
