#!/usr/bin/env python3
"""Writes Tests/GenerationTests/Fixtures/schemas.json: which of many small values each of many small JSON schemas allows, as the
jsonschema package judges.

    python tools/reference/schema_fixtures.py

Needs jsonschema. Numbers have no exponents, objects have their members in the schemas' order, and schemas say of every object
whether it may have others: in these a grammar of ours differs on purpose.
"""

import importlib.metadata
import itertools
import json
import pathlib
import re

import jsonschema

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/GenerationTests/Fixtures/schemas.json"

NUMBERS = [0, 1, -1, 2, 3, 7, 9, 10, 11, 12, 99, 100, 101, -2, -9, -10, -11, -12, -100, 0.5, 0.25, 0.05, 0.1, 0.09, 0.11, 1.5, 2.5, 2.25,
           2.49, 2.51, 9.9, 9.99, 10.01, -0.5, -0.05, -0.1, -1.5, -2.5, -2.49, -2.51, -9.99, -10.5, 3.14, 3.15, 3.141, 1000000, 0.001]  # fmt: skip
STRINGS = ["", "a", "b", "ab", "ba", "aa", "abc", "aab", "xay", "A", "AB", "Z9", "0", "9", "12", "123", "1234", "a1", "a_b", "a-b", "a b", " ",
           "\n", "a\nb", "\t", "\"", "\\", "a\"b", "é", "aé", "中文", "😀", "a😀b", "x_1", "x_", "_x", "ABC-123", "abc-12", "2024-01-31", "/", "]",
           "^", "$", "a.b", "aXb", "\x01", "\x7f", "ababab"]  # fmt: skip
SMALL = [None, True, False, 0, 1, -1, 2.5, "", "a", "ab", [], {}]
ARRAYS = [list(items) for count in range(4) for items in itertools.product([1, "a", None], repeat=count)] + [
    [[1]], [{}], [1, "a", True, 2], [1, 1, 1, 1], [1.5], [1, "a", 2, 3, 4]]  # fmt: skip
OBJECTS = [
    {key: value for key, value in zip("abc", values) if value != "-"}
    for values in itertools.product(["-", 1, "x"], ["-", 2, None], ["-", True])
] + [{"x_1": 1}, {"x_1": "a"}, {"a": 1, "x_1": 1}, {"a": 1, "x_1": 1, "x_2": 2}, {"y": 1}, {"a": {"a": 1}}, {"a": {"a": {}}}, {"a": {"a": None}},
     {"": 1}, {"aa": 1}, {"a": 1, "aa": 2}, {"a": 1, "é": 2}, {"a": 1, "\"": 2}, {"kind": "p", "v": 1}, {"kind": "q", "v": "a"}, {"kind": "p", "v": "a"},
     {"kind": "p"}, {"a": 15}, {"a": 5, "b": 15}, {"a": 15, "b": 25}]  # fmt: skip
VALUES = NUMBERS + STRINGS + SMALL + ARRAYS + OBJECTS

OBJECT = {"type": "object", "additionalProperties": False}
DRAFT4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
DRAFT7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
PATTERNS = [
    "^a", "a$", "a", "^a*$", "^(a|b)+$", "^[a-z]{2,3}$", "^[^a]$", "^[^a-z]+$", "^.$", "^a.b$", r"^\d{2,}$", r"^[A-Z]+-\d+$", r"^\w+$", r"^\S+$",
    "^(?:ab)+$", "^a?b?$", "^$", "", "^(a|ab)(c|b)?$", r"^\$$", r"^[\]\^]$", r"^\u00e9$", "é", "^(?<name>a)b$", r"^\d{4}-\d{2}-\d{2}$",
    "^a|b$", "^(a*)*b$", r"\.", r"^[\w.-]+$", "^a{2}$", "^a+?b$", r"^[\s\S]$", "[0-9]",
]  # fmt: skip
BOUNDS = [
    {"minimum": 2}, {"maximum": 2}, {"exclusiveMinimum": 2}, {"exclusiveMaximum": 2}, {"minimum": -2.5}, {"maximum": -2.5}, {"exclusiveMinimum": -2.5},
    {"exclusiveMaximum": -2.5}, {"minimum": 0}, {"exclusiveMinimum": 0}, {"maximum": 0}, {"exclusiveMaximum": 0}, {"minimum": 0, "maximum": 1},
    {"minimum": 0.1, "maximum": 2.5}, {"exclusiveMinimum": 0.1, "exclusiveMaximum": 2.5}, {"minimum": -10, "maximum": 10},
    {"exclusiveMinimum": -10, "exclusiveMaximum": 10}, {"minimum": 2.25, "maximum": 2.5}, {"exclusiveMinimum": 2.25, "maximum": 2.5},
    {"minimum": -0.1, "maximum": 0.05}, {"minimum": 9.99, "maximum": 10.01}, {"minimum": 2, "exclusiveMinimum": 2}, {"minimum": 2, "exclusiveMinimum": 3},
    {"minimum": 0.001, "maximum": 0.09}, {"maximum": 0.0015}, {"minimum": 3.14, "maximum": 3.14}, {"minimum": 1e-3}, {"maximum": 1e2},
    {"exclusiveMinimum": 99.5}, {"minimum": -11, "maximum": -9.99},
]  # fmt: skip
TREE = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": ["integer", "null"]}]}}, "additionalProperties": False}}}  # fmt: skip
SCHEMAS = (
    [{"type": "string", "pattern": pattern} for pattern in PATTERNS]
    + [{"type": "string", "pattern": "^[ab]{1,2}$", "minLength": 1, "maxLength": 2}]
    + [{"type": kind, **bound} for bound in BOUNDS for kind in ("number", "integer")]
    + [
        True, {}, TREE, {"enum": [1, "a", None]}, {"type": "string", "enum": [1, "a", None]}, {"type": "integer", "enum": [1, 2.5, "a"]}, {"const": "ab"},
        {"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": False}, {"type": "array", "items": {"enum": [1, "a"]}, "minItems": 1, "maxItems": 2},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": {"type": "integer"}, "minItems": 1},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "maxItems": 1},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": False, "minItems": 1}, {"type": "array", "uniqueItems": False},
        OBJECT, {"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}},
        OBJECT | {"properties": {"a": {"type": "integer"}, "b": {}, "c": {"type": "boolean"}}},
        OBJECT | {"properties": {"a": {}, "b": {}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": True},
        OBJECT | {"patternProperties": {"^x_": {"type": "integer"}}}, OBJECT | {"patternProperties": {"_": {}}, "properties": {"a": {"type": "integer"}}},
        OBJECT | {"patternProperties": {"^x_": {"type": "integer"}}, "properties": {"a": {}}, "required": ["a"]},
        {"allOf": [{"type": "number", "minimum": 1}, {"maximum": 10}]}, {"allOf": [{"type": "number"}, {"type": "integer"}]},
        {"allOf": [{"minimum": 1, "type": ["integer", "string"]}, {"maximum": 10, "type": ["integer", "null"]}]},
        {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {}}, "additionalProperties": True}],
         "additionalProperties": True},
        {"allOf": [OBJECT | {"properties": {"a": {"type": "integer"}, "b": {"type": ["integer", "null"]}}}, {"properties": {"b": {"minimum": 1}, "c": {}}, "required": ["b"]}]},
        {"allOf": [OBJECT | {"properties": {"a": {"type": "integer", "minimum": 10}}}, {"properties": {"a": {"maximum": 20}}}]},
        {"allOf": [{"enum": [1, 2, "a"]}, {"enum": ["a", 2]}]}, {"allOf": [{"type": "string"}, {"minLength": 2}, {"maxLength": 2}]},
        {"allOf": [{"type": "array", "items": {"type": ["integer", "null"]}}, {"items": {"type": ["string", "integer"]}, "minItems": 1}]},
        {"type": "number", "anyOf": [{"maximum": -10}, {"minimum": 10}]}, {"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}, {"type": "boolean"}]},
        OBJECT | {"properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"oneOf": [OBJECT | {"properties": {"kind": {"const": "p"}, "v": {"type": "integer"}}, "required": ["kind", "v"]},
                   OBJECT | {"properties": {"kind": {"const": "q"}, "v": {"type": "string"}}, "required": ["kind", "v"]}]},
        {"type": "object", "oneOf": [OBJECT | {"properties": {"kind": {"const": "p"}, "v": {}}, "required": ["kind", "v"]},
                                     OBJECT | {"properties": {"kind": {"const": "q"}, "v": {"type": "string"}}, "required": ["kind", "v"]}]},
        {"$ref": "#/$defs/n", "minimum": 2, "$defs": {"n": {"type": "integer"}}},
        {"allOf": [{"$ref": "#/$defs/n"}], "maximum": 2, "$defs": {"n": {"type": "number", "minimum": 0}}},
        {"type": ["string", "integer"], "minLength": 2, "minimum": 3},
        # Older drafts' words.
        DRAFT7 | {"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False},
        DRAFT7 | {"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "minItems": 2},
        DRAFT7 | {"type": "array", "items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
        DRAFT7 | {"type": "array", "items": {"type": "integer"}, "additionalItems": False},
        DRAFT4 | {"type": "number", "minimum": 2, "exclusiveMinimum": True, "maximum": 10, "exclusiveMaximum": False},
        # What zod and pydantic write.
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991}, {"type": "number", "minimum": -1e300, "maximum": 2.5},
        {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "integer"}},
        {"type": "object", "propertyNames": {"enum": ["a", "c"]}, "additionalProperties": {"type": ["integer", "boolean"]}},
        {"type": "object", "propertyNames": {"type": "string", "enum": ["a", "b"]}, "additionalProperties": {}, "required": ["a"]},
        {"type": "object", "propertyNames": {"const": "a"}, "additionalProperties": True},
        {"type": "object", "propertyNames": {"pattern": "^x_"}, "additionalProperties": {"type": "integer"}},
        {"type": "string", "pattern": "^(?:a|b)$", "format": "email"},
        {"type": ["integer", "null"], "x-order": 1, "title": "A number"},
    ]
)  # fmt: skip


def in_python(schema):
    """The schema with its expressions as Python writes what they mean in ECMA 262."""
    if not isinstance(schema, dict) or schema.get("type") != "string" or "pattern" not in schema:
        return schema
    ends = re.sub(r"(?<!\\)\$", r"\\Z", schema["pattern"])
    return schema | {"pattern": "(?a)" + ends.replace("(?<", "(?P<")}


def main() -> None:
    cases = []
    for schema in SCHEMAS:
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        validator = kind(in_python(schema))
        valid = [index for index, value in enumerate(VALUES) if validator.is_valid(value)]
        cases.append({"schema": json.dumps(schema, ensure_ascii=False), "valid": valid})
    document = {
        "jsonschema": importlib.metadata.version("jsonschema"),
        "values": [json.dumps(value, ensure_ascii=False) for value in VALUES], "cases": cases,
    }  # fmt: skip
    OUT.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n")
    print(len(VALUES), "values,", len(cases), "schemas,", sum(len(case["valid"]) for case in cases), "valid")


if __name__ == "__main__":
    main()
