#!/usr/bin/env python3
"""Writes many different conversations: the rows of some files over and over, each time changed a little.

    python tools/repeat_rows.py COUNT OUT.jsonl FILE.jsonl…

For measuring `firefly data` and the data cache on a million rows; needs no packages.
"""

import itertools
import json
import sys


def main() -> None:
    count, out, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rows = [json.loads(line) for name in files for line in open(name, encoding="utf-8") if line.strip()]
    with open(out, "w", encoding="utf-8") as file:
        for number, row in enumerate(itertools.islice(itertools.cycle(rows), count)):
            turns = [dict(turn) for turn in row["conversation"]]
            turns[0]["human"] = f"{number}. {turns[0]['human']}"
            turns[-1]["assistant"] = f"{turns[-1]['assistant']} ({number})"
            file.write(json.dumps({"conversation_id": number, "conversation": turns}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
