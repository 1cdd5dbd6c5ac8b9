#!/usr/bin/env python3
"""Asks a model of random weights for answers of every schema of schema_fixtures.py, hot and with the signs that close values made likely,
and validates each whole answer with the jsonschema package.

    python tools/reference/schema_check.py FIREFLY [ANSWERS]

FIREFLY is the program; ANSWERS are asked for of each schema (8). Needs jsonschema. An answer that the model does not end within the
limit is cut, so only its beginning is JSON; no answer may fail for want of a token that leads on.
"""

import decimal
import json
import pathlib
import subprocess
import sys
import tempfile

import urllib.error
import urllib.request

import jsonschema
import schema_fixtures

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "readme_check"))
import tiny_model  # noqa: E402

CLOSING = {str(ord(sign)): 3 for sign in '"}]'} | {"259": 4}


def ask(port: int, schema, count: int):
    body = {
        "model": "random", "messages": [{"role": "user", "content": "x"}], "max_tokens": 300, "temperature": 2, "n": count, "seed": 7, "logit_bias": CLOSING,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema if isinstance(schema, dict) else {}}},
    }  # fmt: skip
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(request))["choices"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]["message"]


def main() -> None:
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8
    whole, cut, refused, wrong = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        tiny_model.write(pathlib.Path(folder))
        server = subprocess.Popen([program, "serve", folder, "--port", "0", "--alias", "random"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        port = next(int(line.split("http://127.0.0.1:")[1].split("/")[0].split()[0]) for line in server.stdout if "http://127.0.0.1:" in line)
        for schema in schema_fixtures.SCHEMAS:
            kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
            validator = kind(schema_fixtures.in_decimals(schema_fixtures.in_python(schema)))
            choices = ask(port, schema, count)
            if isinstance(choices, str):
                refused += 1
                print(f"refused: {json.dumps(schema)}: {choices}")
                continue
            for choice in choices:
                if choice["finish_reason"] != "stop":
                    cut += 1
                    continue
                whole += 1
                text = choice["message"]["content"]
                try:
                    validator.validate(json.loads(text, parse_float=decimal.Decimal))
                except (ValueError, jsonschema.ValidationError) as error:
                    wrong += 1
                    print(f"wrong: {json.dumps(schema)}: {text!r}: {str(error).splitlines()[0]}")
        server.terminate()
        server.wait()
    print(f"{whole} answers are of their schemas but {wrong}, {cut} were cut, {refused} schemas refused")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
