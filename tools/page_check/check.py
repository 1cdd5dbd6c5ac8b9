#!/usr/bin/env python3
"""Drives the pages of a running `firefly serve` in headless Chromium and looks at what a user sees. Leaves screenshots.

    apt-get install chromium fonts-noto-cjk; pip install playwright
    firefly serve MODEL --run OUTPUT_DIR &
    python tools/page_check/check.py --url http://127.0.0.1:8000 --out screenshots

With --live, a run in OUTPUT_DIR that is about to start is watched to its end instead, on a page that is never reloaded.
"""

import argparse
import pathlib
import re
import time

from playwright.sync_api import Page, expect, sync_playwright

# A model's answer may hold anything; none of it may become markup or a script.
HOSTILE = (
    "# Title\n\nText with **bold**, `code`, <b>tags</b> <img src=x onerror=\"window.hacked = 1\"> and "
    "[a link](https://example.org/) and [a trap](javascript:window.hacked=1).\n\n"
    "```python\nprint('<script>window.hacked = 1</script>')\n```\n\n| a | b |\n|---|---|\n| 1 | 中文 |\n\n"
    "1. one\n2. two\n   - inner\n\n> quoted\n"
)


def page_of(browser, options, **settings) -> Page:
    context = browser.new_context(**settings)
    page = context.new_page()
    page.on("pageerror", lambda error: (_ for _ in ()).throw(AssertionError(f"script error: {error}")))
    page.goto(options.url)
    return page


def shot(page: Page, options, name: str) -> None:
    page.screenshot(path=options.out / f"{name}.png")


def send(page: Page, text: str) -> None:
    page.locator("#input").fill(text)
    page.locator("#input").press("Enter")


def finished(page: Page) -> None:
    expect(page.locator(".cursor")).to_have_count(0, timeout=120_000)


def check_chat(browser, options) -> None:
    page = page_of(browser, options, locale="en-US", viewport={"width": 1180, "height": 760})
    expect(page.locator("#model option").first).not_to_have_text("")
    send(page, "What is 2 + 3? Answer shortly.")
    expect(page.locator(".turn.assistant .body")).not_to_be_empty(timeout=60_000)
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("tokens/s")
    send(page, "And 4 more?")
    finished(page)
    expect(page.locator(".turn")).to_have_count(4)
    shot(page, options, "chat-en")

    page.reload()
    expect(page.locator(".turn")).to_have_count(4)  # kept in the browser
    page.keyboard.press("Control+Shift+O")
    expect(page.locator("#empty")).to_be_visible()
    send(page, "Tell me a very long story about a lighthouse.")
    expect(page.locator(".turn.assistant .body")).not_to_be_empty(timeout=60_000)
    page.keyboard.press("Escape")
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("stopped")
    expect(page.locator("#list li")).to_have_count(2)

    page.locator("#settings").click()
    page.locator("#temperature").fill("0")
    page.locator("#max_tokens").fill("8")
    shot(page, options, "settings")
    page.locator("#close").click()
    page.get_by_role("button", name="Again").click()
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("cut at the most tokens")


def check_markdown(browser, options) -> None:
    page = page_of(browser, options, locale="zh-CN", color_scheme="dark", viewport={"width": 1180, "height": 900})
    page.evaluate(
        "text => localStorage.setItem('firefly.chats', JSON.stringify([{id: '1', title: '排版', system: '', turns: ["
        "{role: 'user', content: '请用 <b>Markdown</b> 回答'}, {role: 'assistant', content: text}]}]))", HOSTILE)
    page.reload()
    body = page.locator(".turn.assistant .body")
    for selector, text in [("strong", "bold"), ("pre code", "<script>"), ("td", "中文"), ("ol li", "one"),
                           ("ul li", "inner"), ("blockquote", "quoted"), ("a", "a link")]:  # fmt: skip
        expect(body.locator(selector).filter(has_text=text).first).to_be_visible()
    expect(body.locator("img, script, b")).to_have_count(0)
    expect(body.locator("a")).to_have_count(1)
    assert page.evaluate("window.hacked") is None, "an answer ran as a script"
    expect(page.locator("#send")).to_have_text("发送")
    shot(page, options, "markdown-zh-dark")


def check_phone(browser, options) -> None:
    page = page_of(browser, options, locale="zh-CN", viewport={"width": 390, "height": 760}, has_touch=True,
                   is_mobile=True)  # fmt: skip
    expect(page.locator("#side")).not_to_be_visible()
    send(page, "你好！请用中文介绍一下你自己。")
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"
    shot(page, options, "phone-zh")
    page.locator("#menu").click()
    expect(page.locator("#side")).to_be_in_viewport(ratio=0.95)
    shot(page, options, "phone-menu")


def check_composition(browser, options) -> None:
    """Enter that ends a Chinese word's composition does not send."""
    page = page_of(browser, options, locale="zh-CN")
    page.locator("#input").fill("ni")
    page.locator("#input").evaluate(
        "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, "
        "cancelable: true}))")
    expect(page.locator(".turn")).to_have_count(0)


def check_run(browser, options) -> None:
    page = page_of(browser, options, locale="en-US", viewport={"width": 1080, "height": 900})
    page.goto(options.url + "/run")
    expect(page.locator("#loss svg polyline").first).to_be_visible()
    expect(page.locator("#status")).to_contain_text("step")
    shot(page, options, "run")
    page.set_viewport_size({"width": 390, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the run page is wider than the phone"
    shot(page, options, "run-phone")


def check_live(browser, options) -> None:
    page = page_of(browser, options, locale="en-US", viewport={"width": 1080, "height": 900})
    page.goto(options.url + "/run")
    page.evaluate("window.sameDocument = true")
    steps, shares, until = [], [], time.monotonic() + options.live
    while time.monotonic() < until:
        status = page.locator("#status").inner_text()
        if found := re.match(r"step (\d+) / (\d+)", status):
            steps.append(int(found[1]))
            shares.append(page.evaluate("document.getElementById('bar').value"))
            if len(set(steps)) == 3 and steps[-1] != steps[-2]:
                assert "left" in status, f"no time left in {status!r}"
                shot(page, options, "run-live")
        if "finished" in status:
            break
        page.wait_for_timeout(250)
    assert "finished" in status, f"the run has not ended after {options.live} s: {status!r}"
    assert steps == sorted(steps) and shares == sorted(shares), f"a step backwards: {steps} {shares}"
    assert len(set(steps)) >= 4 and found and steps[-1] == int(found[2]), f"steps seen: {sorted(set(steps))}"
    assert page.evaluate("window.sameDocument"), "the page was loaded again"
    expect(page.locator("#loss svg polyline").first).to_be_visible()
    shot(page, options, "run-finished")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--no-run", action="store_true", help="the server shows no training run")
    parser.add_argument("--live", type=float, metavar="SECONDS", help="watches a run that starts now and ends by then")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checks = [check_markdown, check_composition, check_chat, check_phone] + ([] if options.no_run else [check_run])
    if options.live:
        checks = [check_live]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for check in checks:
            check(browser, options)
            print(f"{check.__name__}: right", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
