"""Which texts of the sources a person sees on a terminal."""

import re

# Never shown, or to programmers alone.
UNSEEN_CALLS = set(
    "precondition preconditionFailure fatalError assert assertionFailure hasPrefix hasSuffix contains split PieceFormat "
    "Wording counter gauge Message firstIndex components range replacingOccurrences Data ByteSet".split()
)

# Parts of paths whose texts are seen by no person in a terminal but through errors: prompts, files that are written, logs,
# pages, scripts. Their errors count.
UNSEEN_FILES = (
    "Server/", "LossCurve", "RunRecorder", "Completion.swift", "ManualPage", "ChatTemplate+", "PieceFormat+Jinja",
    "ChatGLM3Tools", "MergeProbe", "TokenizerProbe", "ByteLevelFiles", "DataCache.swift", "Benchmark+", "ProgramBench",
    "Base/Language/", "ConfigReference", "ConfigSchema", "DataKeys", "EvaluationKeys", "ModelKeys",
    "PreferenceKeys", "RecordKeys", "StepKeys", "WeightKeys", "Keys/ConfigKeys", "StepwiseDecoding", "Digest.swift",
)

# Code, commands, names of options and of keys; JSON.
UNSEEN = re.compile(
    r"\{[%{#]|</|\(\?|\\p\{|\\\{|^(--|/[a-z]+ )|^(python3|iconv|xz|zstd|bunzip2|version https|SQLite|git) |^\{\"|^<\w+ "
    r"|^\"\[|^[a-z_]+( [a-z_]+)* [a-z]+_[a-z_]+( [a-z_]+)*$|^\(?\w+\[|^\{\} \+ "
)
PLACE = re.compile(r"^\{\}(/\{\})?: [\w.\[\]{}]+$")  # of an error: a file and a key

# Errors and help: a text of these must have a translation.
STRICT_CALLS = set("FireflyError SchemaContradiction UsageError Verb Flag Positional ProgressLine usage".split()) | {
    f"Option.{kind}" for kind in ("text", "choice", "integer", "number")
}
STRICT_LABELS = {"expected", "fix", "why", "because", "together"}

WORD = re.compile(r"(?<![\w\"'/.-])[A-Za-z][a-z']{2,}(?![\w(_])")


def is_seen(path, text):
    """Whether a text (of swift_texts) is one for people, as far as can be told."""
    strict = is_strict(text)
    plain = text.template.replace("{}", " ")
    if text.callee in UNSEEN_CALLS or text.label in ("at", "place", "separator") or not WORD.search(plain):
        return False
    # Chinese stands there beside the English text.
    if re.search(r"[\u4e00-\u9fff]", plain) or UNSEEN.search(text.template) or PLACE.match(text.template):
        return False
    if any(part in path for part in UNSEEN_FILES) and text.callee not in STRICT_CALLS:
        return False
    return " " in text.template.strip() or (strict and text.callee == "FireflyError")


def is_strict(text):
    return text.callee in STRICT_CALLS or text.label in STRICT_LABELS
