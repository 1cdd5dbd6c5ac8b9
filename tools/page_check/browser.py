"""A headless Chromium whose pages must not fail in silence."""

import argparse

from playwright.sync_api import Page, Playwright


class Browser:
    def __init__(self, playwright: Playwright, options: argparse.Namespace):
        self.options = options
        self._browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])

    def close(self) -> None:
        self._browser.close()

    def open(self, path: str = "/", **settings) -> Page:
        """A page in a profile of its own: nothing is kept from another. What it asks of elsewhere is an error."""
        page = self._browser.new_context(**settings).new_page()
        page.on("pageerror", lambda error: fail(f"script error: {error}"))
        page.on("console", lambda message: "Content Security Policy" in message.text and fail(message.text))
        page.on("request", lambda request: request.url.startswith(self.options.url) or fail(f"asks {request.url}"))
        page.goto(self.options.url + path)
        return page

    def shot(self, page: Page, name: str, **settings) -> None:
        page.screenshot(path=self.options.out / f"{name}.png", **settings)


def fail(reason: str) -> None:
    raise AssertionError(reason)


def is_no_wider(page: Page) -> bool:
    """Whether nothing is cut off or must be scrolled to on the right."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


CONTRAST = """
() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const back = element => {
    for (; element; element = element.parentElement) {
      const colour = channels(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest(".aside, option, svg")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(back(element))].sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return poor;
}
"""


def poor_contrasts(page: Page) -> list[str]:
    """Texts with less contrast than WCAG's 4.5, each with what it has."""
    return page.evaluate(CONTRAST)


UNNAMED = """
() => [...document.querySelectorAll("button, a, input, select, textarea, progress, nav, dialog, [role=log]")].filter(e =>
  e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.getAttribute("aria-labelledby"))
).map(e => e.outerHTML.slice(0, 80))
"""


def unnamed(page: Page) -> list[str]:
    """Controls of which a screen reader could say nothing."""
    return page.evaluate(UNNAMED)
