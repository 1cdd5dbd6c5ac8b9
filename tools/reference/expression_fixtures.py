"""Tests/TextTests/Fixtures/expressions: how Oniguruma cuts texts by the regular expressions of published tokenizers, and the
normal forms of texts (forms.json).

    python tools/reference/expression_fixtures.py Tests/TextTests/Fixtures

Hugging Face's tokenizers, which is asked here, runs the expressions with Oniguruma, whose syntax they are written in. The
texts are those of texts.json, and random ones of characters that have been in Unicode since 3.2 and have had one category
since then: what a character is must not depend on the library's age.
"""

import json
import pathlib
import random
import sys
import unicodedata

import manifest
from tokenizers import Regex, normalizers, pre_tokenizers

# By the tokenizers that have them.
EXPRESSIONS = {
    "gpt2, qwen1, falcon": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2, qwen3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "gpt-4o, tekken": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| "
        r"?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek's letters": r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ]+",
    "deepseek's signs": r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    "deepseek's ideographs": "[一-龥ࠀ-一가-퟿]+",
    "deepseek-v3": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "words": r"\w+|[^\w\s]+",
    "kimi-k2": r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}  # fmt: skip

# What Oniguruma reads otherwise than PCRE2, or has and PCRE2 has not.
DIALECT = [
    r"a*", r"(?=[a-e])", r"$", r"^", r"\s*?", r".{2}?", r"[a-e]{2}?[f-z]", r".{,2}", r"\w{1,2}+", r"\d{2}{2}", r"[a-z]+*x?", r"a{,}|b{,|{", r"x?+y??",
    r"[a-z&&[^aeiou]]+", r"[^a-z&&\w]+", r"[\w&&[^\d_]&&[^A-Z]]+", r"[a[^b-z]]+", r"[^a[^e-z]]+", r"[[a-c][x-z]]+", r"[\W\d]+", r"[^\W_]+", r"[]a]+", r"[^]a]+",
    r"[a-]+|[-b]+", r"[a-c-e]+", r"[[:alpha:]_]+", r"[[:^alpha:]]+", r"[[:punct:]]+", r"\p{Punct}+", r"[[:upper:][:digit:]]+", r"[[:space:]]+", r"[\w]+", r"[^\w]+",
    r"\W+", r"\h+", r"\H+", r"[\h]+", r"\R", r"\N+", r"\O{3}", r"\b\w", r"\B.", r"(?m:.)+", r"(?mi:a.)+", r"(?-i:a)(?i)b|c", r"x(?i)A|B", r"(?i-m:S+)", r"(?<word>\p{L}+) ?",
    r"(\p{Lu})(\p{Ll}+)", r"(?#a note)\p{N}", r"\p{^L}+", r"\P{^L}+", r"\p{Letter}+", r"\p{Alnum}+", r"\p{Word}+", r"\p{Blank}+", r"\p{Cntrl}", r"\x41|\x{4e0a}|\u4e0b",
    r"(?<=\s)\S", r"(?<!\w)\w+(?!\w)", r"(?>a+|b)c?", r"\A.|.\z", r"\S+\Z", "\u3042|[\u3042-\u3096]+", r"[\[\]{}]+|\{|}",
]  # fmt: skip


def stable() -> list[str]:
    """Characters of Unicode 3.2 whose category has not changed since."""
    old = unicodedata.ucd_3_2_0
    characters = map(chr, [*range(1, 0xD800), *range(0xF900, 0x30000)])
    return [c for c in characters if old.category(c) == unicodedata.category(c) and old.category(c) not in ("Cn", "Co")]


def random_texts(count: int) -> list[str]:
    """Neighbours are often of one script, and often ASCII, as in texts; white space of every kind between them."""
    numbers, characters = random.Random(5), stable()
    spaces = [c for c in characters if c.isspace()]
    ascii = [chr(c) for c in range(32, 127)]
    texts = []
    for _ in range(count):
        text = ""
        while len(text) < 60:
            kind, start = numbers.random(), int((len(characters) - 40) * numbers.random() ** 3)
            if kind < 0.3:
                text += "".join(numbers.choices(ascii, k=numbers.randint(1, 8)))
            elif kind < 0.5:
                text += "".join(numbers.choices(spaces + [" ", "\n", "\r\n"], k=numbers.randint(1, 4)))
            elif kind < 0.6:
                text += numbers.choice(["'S", "'re", "'LL", "'t", "123456", "\u0301", "\u200d"])
            else:
                text += "".join(numbers.choices(characters[start:start + 40], k=numbers.randint(1, 6)))
        texts.append(text)
    return texts


def forms() -> dict[str, list[str]]:
    """Every character that a form changes, 64 a text; Hangul's letters, and marks in runs, out of order and behind what
    takes them. By Python's tables and by those of tokenizers."""
    changing = [c for c in stable() if unicodedata.normalize("NFKD", c) != c and not "\uac00" <= c <= "\ud7a3"]
    texts = ["\n".join(changing[i:i + 64]) for i in range(0, len(changing), 64)]
    texts += ["가각힣 \u1100\u1161\u11a8\u11a7 \u1112\u1175\u11c2 가\u11a8", "a" + "\u0323\u0301\u0327" * 50 + "b",
              "e\u0301\u0323 \u0301e q\u0307\u0323 \u1e69 \u0f71\u0f72 \u0fb2\u0f71\u0f80 \u212b \ufb01 ①"]
    result = {"texts": texts}
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        result[form] = [unicodedata.normalize(form, text) for text in texts]
        assert result[form] == [getattr(normalizers, form)().normalize_str(text) for text in texts], form
    return result


def lengths(pattern: str, text: str) -> list[int]:
    return [len(piece.encode()) for piece, _ in pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str(text) if piece]


def main() -> None:
    fixtures = pathlib.Path(sys.argv[1])
    out = fixtures / "expressions"
    out.mkdir(exist_ok=True)
    texts = json.loads((fixtures / "texts.json").read_text()) + random_texts(200)
    cases = []
    for name, pattern in EXPRESSIONS.items():
        cases.append({"name": name, "pattern": pattern, "lengths": [lengths(pattern, text) for text in texts]})
    # Some marks became Alphabetic with Unicode 16.
    short = [text[:40] for text in texts[::9] if not any("\u0363" <= c <= "\u036f" for c in text)] + ["aab abc xyz AEI {a{,} []a-c^ 12 1234 x\u00b2\u00bc sS $+< !?\r\n\n_\u0301 \u4e0a\u4e0b"]
    dialect = [{"pattern": pattern, "lengths": [lengths(pattern, text) for text in short]} for pattern in DIALECT]
    document = {"texts": texts, "expressions": cases, "short": short, "dialect": dialect}
    (out / "cases.json").write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
    (out / "forms.json").write_text(json.dumps(forms(), ensure_ascii=False, separators=(",", ":")) + "\n")
    manifest.write(out, "tools/reference/expression_fixtures.py", ["tokenizers"])


if __name__ == "__main__":
    main()
