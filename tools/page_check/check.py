#!/usr/bin/env python3
"""Drives the pages of a running `firefly serve` in headless Chromium and looks at what a user sees. Leaves screenshots.

    apt-get install chromium fonts-noto-cjk; pip install playwright
    firefly serve MODEL --max-tokens 400 --run OUTPUT_DIR &
    python tools/page_check/check.py --url http://127.0.0.1:8000 --out screenshots

With --key KEY the server was started with that --api-key, and what a page does without and with it is looked at. With --live,
a run in OUTPUT_DIR that is about to start is watched to its end instead, on a page that is never reloaded.
"""

import argparse
import pathlib

from playwright.sync_api import sync_playwright

import answers
import chat
import run
from browser import Browser


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--key", help="the server asks for this key: only the pages' way to it is looked at")
    parser.add_argument("--no-run", action="store_true", help="the server shows no training run")
    parser.add_argument("--live", type=float, metavar="SECONDS", help="watches a run that starts now and ends by then")
    parser.add_argument("--only", help="the one check of this name")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checks = answers.CHECKS + chat.CHECKS + ([] if options.no_run else run.CHECKS)
    if options.key:
        checks = [chat.check_key]
    if options.live:
        checks = [run.check_live]
    with sync_playwright() as playwright:
        browser = Browser(playwright, options)
        for check in checks:
            if options.only in (None, check.__name__):
                check(browser)
                print(f"{check.__name__}: right", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
