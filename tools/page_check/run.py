"""The page of a training run."""

import re
import time

from playwright.sync_api import Page, expect

from browser import Browser, is_no_wider, poor_contrasts, unnamed

# Texts of a drawing that its edges cut off.
CLIPPED = """
() => [...document.querySelectorAll("figure > svg text")].filter(text => {
  const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
  return inner.width && (inner.left < outer.left || inner.right > outer.right + 0.5 || inner.top < outer.top || inner.bottom > outer.bottom);
}).map(text => text.textContent)
"""


def looks_right(page: Page) -> None:
    expect(page.locator("#chart-loss svg polyline").first).to_be_visible()
    page.wait_for_timeout(200)  # a changed width is drawn anew
    assert is_no_wider(page), "the run page is wider than its window"
    assert not page.evaluate(CLIPPED), f"clipped: {page.evaluate(CLIPPED)}"
    assert not poor_contrasts(page), poor_contrasts(page)
    assert not unnamed(page), unnamed(page)


def check_run(browser: Browser) -> None:
    for language, step, model in [("en-US", r"Step \d+ / \d+", "Model"), ("zh-CN", r"第 \d+ / \d+ 步", "模型")]:
        for scheme in ["light", "dark"]:
            page = browser.open("/run", locale=language, color_scheme=scheme, viewport={"width": 1440, "height": 900})
            expect(page.locator("#status")).to_have_text(re.compile(step))
            expect(page.locator("#about dt").first).to_have_text(model)
            expect(page.locator("#about dd")).to_have_count(5)  # model, data, duration, speed, memory
            looks_right(page)
            browser.shot(page, f"run-{language[:2]}-{scheme}", full_page=True)
            page.set_viewport_size({"width": 360, "height": 720})
            looks_right(page)
            browser.shot(page, f"run-{language[:2]}-{scheme}-phone", full_page=True)


def check_pointer(browser: Browser) -> None:
    """The legend tells the values where the pointer is."""
    page = browser.open("/run", locale="en-US", viewport={"width": 1440, "height": 900})
    figure = page.locator("#chart-loss figure")
    expect(figure.locator("polyline").first).to_be_visible()
    figure.locator("> svg").hover(position={"x": 400, "y": 100})
    assert all(re.fullmatch(r" [\d.e+-]+", text) for text in figure.locator(".key b").all_text_contents())
    browser.shot(page, "run-pointer")


def check_live(browser: Browser) -> None:
    page = browser.open("/run", locale="en-US", viewport={"width": 1080, "height": 900})
    page.evaluate("window.sameDocument = true")
    steps, shares, until = [], [], time.monotonic() + browser.options.live
    while time.monotonic() < until:
        status = page.locator("#status").inner_text()
        if found := re.match(r"Step (\d+) / (\d+)", status):
            steps.append(int(found[1]))
            shares.append(page.evaluate("document.getElementById('bar').value"))
            if len(set(steps)) == 3 and steps[-1] != steps[-2]:
                assert "left" in status, f"no time left in {status!r}"
                browser.shot(page, "run-live")
        if "finished" in status:
            break
        page.wait_for_timeout(250)
    assert "finished" in status, f"the run has not ended after {browser.options.live} s: {status!r}"
    assert steps == sorted(steps) and shares == sorted(shares), f"a step backwards: {steps} {shares}"
    assert len(set(steps)) >= 4 and found and steps[-1] == int(found[2]), f"steps seen: {sorted(set(steps))}"
    assert page.evaluate("window.sameDocument"), "the page was loaded again"
    expect(page.locator("#chart-loss svg polyline").first).to_be_visible()
    browser.shot(page, "run-finished")


CHECKS = [check_run, check_pointer]
