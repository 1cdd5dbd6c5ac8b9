"""How answers are drawn: Markdown, code, formulas, and that none of it can do anything."""

from playwright.sync_api import Page, expect

from browser import Browser, poor_contrasts

# A model's answer may hold anything; none of it may become markup or a script.
HOSTILE = (
    "# Title\n\nText with **bold**, `code`, <b>tags</b> <img src=x onerror=\"window.hacked = 1\"> and "
    "[a link](https://example.org/) and [a trap](javascript:window.hacked=1).\n\n"
    "```python\nprint('<script>window.hacked = 1</script>')\n```\n\n"
    "```<script>window.hacked=1</script>\n<img src=x onerror=window.hacked=1>\n```\n\n"
    "```constructor\nx\n```\n\n```html\n<img src=x onerror=window.hacked=1>\n```\n\n"
    "$\\href{javascript:window.hacked=1}{x}$ $\\includegraphics{https://evil.example/x.png}$ "
    "$\\htmlData{onclick=window.hacked=1}{x}$ $\\text{<img src=x onerror=window.hacked=1>}$ "
    "$\\def\\a{\\a\\a}\\a$ $\\rule{9999em}{9999em}$\n\n"
    "| a | b |\n|---|---|\n| 1 | 中文 |\n\n1. one\n2. two\n   - inner\n\n> quoted\n"
)

LEARNED = (
    "### 解答\n\n#### 23\n\nThe roots of $ax^2 + bx + c = 0$ are\n\n$$\nx = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n$$\n\n"
    "and \\(e^{i\\pi} = -1\\); it costs $5 and not $6.\n\n\\[\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}\\]\n\n"
    "```swift\n// Doubles a number.\nfunc twice(_ x: Int) -> Int { return 2 * x }\n```\n\n"
    "```py\ndef twice(x):\n    return f\"{x} {2 * x}\"  # text\n```\n\n```json\n{\"key\": [1, true, null]}\n```\n\nA line\nand another.\n"
)


def talk(browser: Browser, answer: str, **settings) -> Page:
    """The page with a conversation that was kept."""
    page = browser.open(**settings)
    page.evaluate(
        "text => localStorage.setItem('firefly.chats', JSON.stringify([{id: '1', title: '排版', system: '', turns: ["
        "{role: 'user', content: '请用 <b>Markdown</b> 回答'}, {role: 'assistant', content: text}]}]))", answer)
    page.reload()
    return page


def check_markdown(browser: Browser) -> None:
    page = talk(browser, HOSTILE, locale="zh-CN", color_scheme="dark", viewport={"width": 1180, "height": 1100})
    body = page.locator(".turn.assistant .body")
    for selector, text in [("strong", "bold"), ("pre code", "<script>"), ("td", "中文"), ("ol li", "one"),
                           ("ul li", "inner"), ("blockquote", "quoted"), ("a", "a link")]:  # fmt: skip
        expect(body.locator(selector).filter(has_text=text).first).to_be_visible()
    expect(body.locator("img, script, b, [onclick], [onerror]")).to_have_count(0)
    expect(body.locator("a, [href]")).to_have_count(1)
    assert page.evaluate("window.hacked") is None, "an answer ran as a script"
    expect(page.locator("#send")).to_have_text("发送")
    browser.shot(page, "hostile-zh-dark")


def check_formulas_and_code(browser: Browser) -> None:
    for scheme in ["light", "dark"]:
        page = talk(browser, LEARNED, locale="en-US", color_scheme=scheme, viewport={"width": 1180, "height": 1000})
        body = page.locator(".turn.assistant .body")
        expect(body.locator("math")).to_have_count(4)
        expect(body.locator("math[display=block]")).to_have_count(2)
        expect(body.locator("mfrac")).to_have_count(2)
        expect(body.locator("p").filter(has_text="it costs $5 and not $6")).to_be_visible()
        for kind, text in [("comment", "// Doubles"), ("keyword", "func"), ("keyword", "return"), ("property", "key"),
                           ("number", "2")]:  # fmt: skip
            expect(body.locator(f".code-{kind}").filter(has_text=text).first).to_be_visible()
        sizes = body.locator("h3, h4, h5, h6").evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
        assert len(sizes) == 2 and min(sizes) >= 16, f"headings smaller than the text: {sizes}"
        assert not poor_contrasts(page), poor_contrasts(page)
        browser.shot(page, f"formulas-{scheme}")


CHECKS = [check_markdown, check_formulas_and_code]
