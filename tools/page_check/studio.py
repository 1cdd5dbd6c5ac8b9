#!/usr/bin/env python3
"""Walks through the page of a running `firefly studio` in headless Chromium, as a user does. Leaves screenshots.

    apt-get install chromium fonts-noto-cjk; pip install playwright
    firefly studio FOLDER            (with a model and a file of rows in FOLDER)
    python tools/page_check/studio.py --url ADDRESS --rows rows.jsonl --out screenshots

It trains twice for --steps steps, stops and resumes the first run, compares both, asks the result beside its base, merges
and exports it, and looks at every tab in both languages, two widths, light and dark.
"""

import argparse
import json
import pathlib

from playwright.sync_api import Page, expect, sync_playwright

PATIENCE = 600_000  # milliseconds, for a step of training on a busy machine


class Studio:
    def __init__(self, browser, options, **settings):
        self.options = options
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(f"script error: {error}"))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.goto(options.url)
        expect(self.page.locator("#root")).not_to_be_empty()
        assert options.url.split("/")[-1] not in self.page.url, "the token stays in the address"

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self.options.out / f"{name}.png", full_page=True)

    def check_errors(self, allowed: tuple[str, ...] = ()) -> None:
        left = [error for error in self.errors if not any(text in error for text in allowed)]
        assert not left, left
        self.errors.clear()


def choose(page: Page, options) -> None:
    """Model, rows, preview."""
    page.locator("#modelList").select_option(index=1)
    expect(page.locator("#model")).not_to_have_value("")
    page.locator("#browse").click()
    page.locator("#files button").filter(has_text=options.rows).click()
    expect(page.locator("#data")).to_have_value(f"{page.locator('#root').inner_text()}/{options.rows}")
    expect(page.locator("#judgement .good")).to_be_visible()
    page.locator("#preview").click()
    expect(page.locator("#rows .sample").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#rows mark").first).not_to_be_empty()
    page.get_by_role("button", name="Later ›").click()
    expect(page.locator("#rows")).to_contain_text("Rows 4 to 6", timeout=PATIENCE)


def set_key(page: Page, key: str, value: str) -> None:
    if not page.locator(f"#key-{key}").count():
        page.locator("#newKey").fill(key)
        page.locator("#newKey").press("Enter")
    page.locator(f"#key-{key}").fill(value)


def settings(page: Page, options) -> None:
    """Fields, a further key, an error of the program's own, the JSON."""
    for key, value in [("max_steps", str(options.steps)), ("gradient_accumulation_steps", "2"), ("max_seq_length", "128"),
                       ("warmup_steps", "1"), ("sample_prompts", "What is 12 + 30?"), ("sample_steps", "4")]:  # fmt: skip
        set_key(page, key, value)
    set_key(page, "lora_rnak", "8")
    expect(page.locator("#judgement .bad")).to_contain_text("lora_rank")
    expect(page.locator("#startButton")).to_be_disabled()
    page.get_by_role("button", name="Remove the key: lora_rnak").click()
    expect(page.locator("#judgement .bad")).to_have_count(0)
    assert json.loads(page.locator("#json").input_value())["max_steps"] == options.steps
    expect(page.locator("#command")).to_contain_text("firefly train")


def start(page: Page, name: str) -> None:
    page.locator("#name").fill(name)
    expect(page.locator("#startButton")).to_be_enabled()
    page.locator("#startButton").click()
    expect(page.locator("#runView h2").first).to_have_text(name)


def finished(page: Page) -> None:
    expect(page.locator("#runStatus")).to_contain_text("finished", timeout=PATIENCE)


def check_training(studio: Studio) -> None:
    page, options = studio.page, studio.options
    choose(page, options)
    settings(page, options)
    page.locator("#planButton").click()
    expect(page.locator("#planResult .good")).to_be_visible(timeout=PATIENCE)
    studio.shot("new")
    start(page, "first")
    expect(page.locator("#runView polyline.k0").first).to_be_visible(timeout=PATIENCE)
    studio.shot("running")
    page.get_by_role("button", name="Stop, with a checkpoint").click()
    expect(page.locator("#runStatus")).to_contain_text("stopped, can go on", timeout=PATIENCE)
    page.get_by_role("button", name="Resume").click()
    finished(page)
    expect(page.locator("#runView .sample")).to_contain_text("What is 12 + 30?")
    expect(page.locator("#runView .sample")).to_contain_text(f"Step {options.steps}")
    studio.shot("finished")
    page.get_by_role("tab", name="New run").click()
    set_key(page, "learning_rate", "1e-3")
    page.locator("#name").fill("first")
    page.locator("#startButton").click()
    expect(page.locator("#replaceBox")).to_contain_text("There is something already")
    page.locator("#replaceNo").click()
    start(page, "second")
    finished(page)
    for name in ["first", "second"]:
        page.get_by_label(f"Compare: {name}").check()
    page.locator("#compareButton").click()
    expect(page.locator("#runView table")).to_contain_text("learning_rate")
    expect(page.locator("#runView figcaption")).to_contain_text("second")
    studio.shot("compare")
    studio.check_errors(("400", "409"))  # the answers that were asked for


def check_result(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("tab", name="Runs").click()
    page.locator("#runList li").filter(has_text="first").get_by_role("button").click()
    page.get_by_role("button", name="Chat with it").click()
    page.locator("#chatLoad").click()
    expect(page.locator("#chatState")).to_contain_text("Each prompt", timeout=PATIENCE)
    page.locator("#mostTokens").fill("24")
    page.locator("#prompt").fill("What is 12 + 30?")
    page.locator("#prompt").press("Enter")
    expect(page.locator("#ask")).to_be_enabled(timeout=PATIENCE)
    for side in ["chat-base", "chat-trained"]:
        expect(page.locator(f"#{side} p").last).not_to_have_text("…")
        expect(page.locator(f"#{side} .bad")).to_have_count(0)
    studio.shot("chat")
    page.locator("#chatUnload").click()
    page.get_by_role("tab", name="Runs").click()
    page.get_by_role("button", name="Merge or export").click()
    page.locator("#kind").select_option("export")
    page.locator("#type").select_option("q8_0")
    expect(page.locator("#writeCommand")).to_contain_text("firefly export")
    expect(page.locator("#outPath")).to_contain_text("-q8_0.gguf")
    page.locator("#writeButton").click()
    expect(page.locator("#jobs h2").first).to_have_text("Written", timeout=PATIENCE)
    studio.shot("write")
    studio.check_errors()


def check_looks(browser, options) -> None:
    """Every tab in both languages, wide and narrow, light and dark."""
    for locale, width, scheme in [("zh-CN", 1440, "dark"), ("zh-CN", 800, "light"), ("en-US", 800, "dark"), ("en-US", 1440, "light"),
                                  ("zh-CN", 390, "light")]:  # fmt: skip
        studio = Studio(browser, options, locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900})
        page = studio.page
        expect(page.locator("h1")).to_have_text("Firefly 工作台" if locale == "zh-CN" else "Firefly studio")
        for tab in ["new", "runs", "chat", "write"]:
            page.locator(f"[data-tab={tab}]").click()
            if tab == "runs":
                page.locator("#runList li button").first.click()
                expect(page.locator("#runView polyline").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{tab} is wider than {width}"
            studio.shot(f"{tab}-{locale[:2]}-{width}-{scheme}")
        studio.check_errors()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="what firefly studio has printed")
    parser.add_argument("--rows", required=True, help="a file of rows in the studio's folder")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--looks", action="store_true", help="only looks at the tabs; the runs are there")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        if not options.looks:
            studio = Studio(browser, options, locale="en-US", viewport={"width": 1440, "height": 900})
            for check in [check_training, check_result]:
                check(studio)
                print(f"{check.__name__}: right", flush=True)
        check_looks(browser, options)
        print("check_looks: right")
        browser.close()


if __name__ == "__main__":
    main()
