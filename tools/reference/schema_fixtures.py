#!/usr/bin/env python3
"""Writes Tests/GenerationTests/Fixtures/schemas.json: which of many small values each of many small JSON schemas allows, as the
jsonschema package judges.

    python tools/reference/schema_fixtures.py

Needs jsonschema. Numbers have no exponents, objects have their members in the schemas' order, and schemas say of every object
whether it may have others: in these a grammar of ours differs on purpose. Decimals are decimals (0.07 is a multiple of 0.01), which
binary numbers are not.
"""

import decimal
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
    # What looks around.
    "^(?!a)", "^(?!a$)", r"^(?=.*\d)(?=.*[a-z]).+$", "(?<!a)b", "^.*(?<!b)$", "a(?=b)", "a(?!b)", "^(?!.*b)", "^(?=a|b).{2}$", "(?<=a)b$",
    "^(?!ab$|ba$)[ab]{2}$", "^a(?=.$)|^x(?!_)", "(?<=^a)b",
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
INTEGER, ANY = {"type": "integer"}, {"type": "object", "additionalProperties": True}
ABC = OBJECT | {"properties": {"a": {}, "b": {}, "c": {}}}
KINDS = OBJECT | {"properties": {"kind": {"enum": ["p", "q"]}, "v": {"type": ["integer", "string"]}}, "required": ["kind"]}
IS_P = {"properties": {"kind": {"const": "p"}}}
DIVISORS = [2, 3, 5, 7, 9, 10, 11, 100, 1000, 0.5, 0.25, 0.01, 0.1, 0.05, 2.5, 1.5, 0.003, 1]
CONDITIONS = [
    {"not": {"const": "a"}}, {"not": {"enum": [1, "a", None, 2.5, True]}}, {"type": "string", "not": {"enum": ["a", "ab", "é", "\""]}}, {"not": {"type": "string"}},
    {"not": INTEGER}, {"not": {"type": "number"}}, {"not": {"type": ["object", "array", "null"]}}, {"type": "integer", "not": {"const": 1}},
    {"type": "number", "not": {"enum": [1, 2.5, -100, 0]}}, {"type": "boolean", "not": {"const": True}}, {"type": "string", "not": {"pattern": "^a"}},
    {"type": "string", "pattern": "b", "not": {"pattern": "^a|^ab"}}, {"type": "string", "not": {"minLength": 2}}, {"type": "string", "not": {"maxLength": 1}},
    {"type": "integer", "not": {"minimum": 3}}, {"type": "number", "not": {"exclusiveMaximum": 2.5}}, {"not": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
    {"type": "array", "not": {"minItems": 2}}, {"not": {"not": INTEGER}}, {"not": {"allOf": [{"type": "number"}, {"minimum": 2}]}},
    {"type": "array", "not": {"items": INTEGER}}, {"type": "array", "not": {"contains": INTEGER}}, {"type": "number", "not": {"multipleOf": 2}},
    {"allOf": [{"type": "integer", "minimum": 0}, {"not": {"enum": [1, 2]}}, {"not": {"multipleOf": 3}}]}, {"not": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": ["integer", "object"]}}},
    {"type": ["integer", "string", "null"], "not": {"enum": [None, "a", 7]}}, ABC | {"not": {"required": ["a"]}}, ABC | {"not": {"required": ["a", "c"]}},
    ABC | {"not": {"properties": {"a": {"const": 1}}}}, ABC | {"not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}, {"not": {"minimum": 2}, "type": "integer"},
    {"enum": [1, 2, "a", None], "minimum": 2}, {"type": "string", "enum": ["a", "ab", "abc"], "minLength": 2}, {"enum": [1, 2.5, 3, "ab"], "multipleOf": 0.5, "not": {"const": 3}},
    {"const": "ab", "pattern": "^a", "maxLength": 2}, {"allOf": [{"enum": [1, 2, 3]}, {"const": 2}]},
    {"const": 1, "enum": [1, 2]}, {"const": 3, "enum": [1, 2]},
    KINDS | {"if": IS_P, "then": {"properties": {"v": {"type": "integer"}}, "required": ["v"]}, "else": {"properties": {"v": {"type": "string"}}}},
    KINDS | {"if": IS_P, "then": {"required": ["v"]}}, KINDS | {"if": IS_P, "else": {"required": ["v"]}}, KINDS | {"if": IS_P}, KINDS | {"then": False},
    KINDS | {"if": IS_P, "then": {"properties": {"v": False}}}, KINDS | {"if": {"properties": {"v": {"type": "string"}}, "required": ["v"]}, "then": {"properties": {"kind": {"const": "q"}}}},
    KINDS | {"allOf": [{"if": IS_P, "then": {"required": ["v"]}}, {"if": {"properties": {"kind": {"const": "q"}}}, "then": {"properties": {"v": {"type": "string"}}}}]},
    {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": ["integer", "null"]}}, {"type": "integer", "if": {"minimum": 10}, "then": {"multipleOf": 10}},
    {"type": "integer", "if": {"multipleOf": 2}, "then": {"minimum": 2}, "else": {"maximum": 9}},
    ABC | {"minProperties": 2}, ABC | {"maxProperties": 1}, ABC | {"minProperties": 1, "maxProperties": 2}, ABC | {"required": ["b"], "maxProperties": 2}, ABC | {"maxProperties": 0},
    ANY | {"maxProperties": 1}, {"type": "object", "minProperties": 1}, {"type": "object", "maxProperties": 2}, ANY | {"properties": {"a": {}}, "required": ["a"], "minProperties": 2},
    ABC | {"dependentRequired": {"a": ["b"]}}, ABC | {"dependentRequired": {"a": ["b"], "c": ["a"]}}, ABC | {"dependentRequired": {"b": ["a", "c"]}},
    ABC | {"dependentSchemas": {"a": {"properties": {"b": INTEGER}, "required": ["b"]}}}, DRAFT7 | ABC | {"dependencies": {"a": ["b"], "c": {"required": ["a"]}}},
    ANY | {"properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["b"]}}, ABC | {"properties": {"a": {}, "b": False, "c": {}}},
    OBJECT | {"patternProperties": {"^x_": INTEGER, "1$": {"type": ["integer", "string"]}}}, OBJECT | {"patternProperties": {"^a": INTEGER, "^aa": {"minimum": 2}}},
    {"type": "object", "patternProperties": {"^a": INTEGER}, "additionalProperties": True},
    {"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": INTEGER}, "additionalProperties": {"type": "string"}},
    OBJECT | {"properties": {"a": {"minimum": 2}, "b": {}}, "patternProperties": {"^a": INTEGER}}, ABC | {"propertyNames": {"pattern": "^[ab]"}},
    {"type": "object", "propertyNames": {"minLength": 2}}, ANY | {"propertyNames": {"maxLength": 1, "pattern": "^[a-c]"}},
    {"type": "object", "propertyNames": {"not": {"pattern": "^x|^kind$"}}}, ANY | {"propertyNames": {"not": {"enum": ["a", "kind"]}}},
    {"type": "object", "required": ["a"], "patternProperties": {"^a": INTEGER}, "additionalProperties": {"type": "string"}, "maxProperties": 2},
    {"type": "array", "contains": INTEGER}, {"type": "array", "contains": INTEGER, "minContains": 2}, {"type": "array", "contains": INTEGER, "maxContains": 1},
    {"type": "array", "contains": INTEGER, "minContains": 0}, {"type": "array", "contains": {"const": "a"}, "maxItems": 2}, {"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 2, "maxItems": 3},
    {"type": "array", "items": {"type": ["integer", "null"]}, "contains": {"type": "null"}}, {"type": "array", "prefixItems": [INTEGER], "contains": {"type": "string"}},
    {"type": "array", "contains": INTEGER, "minItems": 2}, {"type": "array", "items": {"enum": [1, "a", None]}, "uniqueItems": True},
    {"type": "array", "items": {"enum": [1, "a", None]}, "uniqueItems": True, "minItems": 2}, {"type": "array", "items": {"enum": [1, "a", 1.0]}, "uniqueItems": True, "maxItems": 2},
    {"type": "array", "items": {"type": ["boolean", "null"]}, "uniqueItems": True}, {"type": "array", "uniqueItems": True, "maxItems": 1},
    {"type": "array", "items": {"anyOf": [{"const": "a"}, {"type": "null"}]}, "uniqueItems": True, "minItems": 1},
    {"type": "string", "pattern": "^a+", "minLength": 2, "maxLength": 3}, {"type": "string", "pattern": "b", "maxLength": 2},
    {"allOf": [{"type": "number", "multipleOf": 0.5}, {"multipleOf": 0.3}]}, {"type": "number", "multipleOf": 0.25, "minimum": -2.5, "exclusiveMaximum": 2.5},
    {"type": "integer", "multipleOf": 3, "minimum": 1, "maximum": 100}, {"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6},
]  # fmt: skip
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
    + [{"type": kind, "multipleOf": divisor} for divisor in DIVISORS for kind in ("number", "integer")]
    + CONDITIONS
)  # fmt: skip


def in_python(schema):
    """The schema with its expressions as Python writes what they mean in ECMA 262."""
    if isinstance(schema, list):
        return [in_python(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: in_python(value) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        ends = re.sub(r"(?<!\\)\$", r"\\Z", schema["pattern"])
        schema["pattern"] = "(?a)" + re.sub(r"\(\?<(?![=!])", "(?P<", ends)
    return schema


def in_decimals(value):
    return json.loads(json.dumps(value), parse_float=decimal.Decimal)


def main() -> None:
    cases = []
    for schema in SCHEMAS:
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        validator = kind(in_decimals(in_python(schema)))
        valid = [index for index, value in enumerate(VALUES) if validator.is_valid(in_decimals(value))]
        cases.append({"schema": json.dumps(schema, ensure_ascii=False), "valid": valid})
    document = {
        "jsonschema": importlib.metadata.version("jsonschema"),
        "values": [json.dumps(value, ensure_ascii=False) for value in VALUES], "cases": cases,
    }  # fmt: skip
    OUT.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n")
    print(len(VALUES), "values,", len(cases), "schemas,", sum(len(case["valid"]) for case in cases), "valid")


if __name__ == "__main__":
    main()
