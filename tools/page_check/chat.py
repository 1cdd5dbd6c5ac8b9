"""Conversations: sending, stopping, editing, deleting, several at a time, keys, phones."""

from playwright.sync_api import Page, expect

from browser import Browser, is_no_wider, poor_contrasts, unnamed

DESKTOP = {"width": 1180, "height": 760}


def send(page: Page, text: str) -> None:
    page.locator("#input").fill(text)
    page.locator("#input").press("Enter")


def finished(page: Page) -> None:
    expect(page.locator(".cursor")).to_have_count(0, timeout=180_000)


def begun(page: Page) -> None:
    expect(page.locator(".turn.assistant .body").last).not_to_be_empty(timeout=90_000)


def set_length(page: Page, tokens: int) -> None:
    page.locator("#settings").click()
    page.locator("#max_tokens").fill(str(tokens))
    page.locator("#temperature").fill("0")
    page.locator("#close").click()


def check_chat(browser: Browser) -> None:
    page = browser.open(locale="en-US", viewport=DESKTOP)
    expect(page.locator("#model option").first).not_to_have_text("")
    send(page, "What is the capital of France? Answer in one sentence.")
    begun(page)
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("tokens/s")
    expect(page.locator("#told")).to_have_text(page.locator(".turn.assistant .body").inner_text(), use_inner_text=True)
    send(page, "And of Italy?")
    finished(page)
    expect(page.locator(".turn")).to_have_count(4)
    assert not poor_contrasts(page), poor_contrasts(page)
    assert not unnamed(page), unnamed(page)
    browser.shot(page, "chat-en")

    page.reload()
    expect(page.locator(".turn")).to_have_count(4)  # kept in the browser
    page.keyboard.press("Control+Shift+O")
    expect(page.locator("#empty")).to_be_visible()
    send(page, "Tell me a very long story about a lighthouse.")
    begun(page)
    page.keyboard.press("Escape")
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("stopped")
    expect(page.locator("#list li")).to_have_count(2)

    page.locator("#settings").click()
    browser.shot(page, "settings")
    assert not unnamed(page), unnamed(page)
    page.locator("#close").click()
    set_length(page, 8)
    page.get_by_role("button", name="Again").click()
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("cut at the most tokens")
    # The stopped answer is kept as the version before.
    expect(page.locator(".turn.assistant .tools")).to_contain_text("2 / 2")
    page.get_by_role("button", name="Version before").click()
    expect(page.locator(".turn.assistant .tools")).to_contain_text("stopped")


def check_editing(browser: Browser) -> None:
    """Editing an earlier message loses nothing, neither before it is sent nor after that."""
    page = browser.open(locale="en-US", viewport=DESKTOP)
    set_length(page, 6)
    for text in ["one", "two", "three"]:
        send(page, text)
        finished(page)
    before = page.locator(".turn .body").all_inner_texts()
    page.locator("#input").fill("half a thought")
    page.get_by_role("button", name="Edit").nth(1).click()
    expect(page.locator("#input")).to_have_value("two")
    expect(page.locator(".turn")).to_have_count(6)
    browser.shot(page, "editing")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#input")).to_have_value("half a thought")
    assert page.locator(".turn .body").all_inner_texts() == before

    page.get_by_role("button", name="Edit").nth(1).click()
    page.reload()  # what is being edited is kept as well
    expect(page.locator("#editing")).to_be_visible()
    send(page, "zwei")
    finished(page)
    expect(page.locator(".turn")).to_have_count(4)
    expect(page.locator(".turn.user").nth(1)).to_contain_text("2 / 2")
    page.get_by_role("button", name="Version before").click()
    assert page.locator(".turn .body").all_inner_texts() == before
    page.reload()
    assert page.locator(".turn .body").all_inner_texts() == before
    page.get_by_role("button", name="Version after").click()
    expect(page.locator(".turn.user .body").nth(1)).to_have_text("zwei")


def check_deleting(browser: Browser) -> None:
    page = browser.open(locale="zh-CN", viewport=DESKTOP)
    set_length(page, 4)
    for text in ["第一个", "第二个"]:
        page.locator("#new").click()
        send(page, text)
        finished(page)
    page.get_by_role("button", name="删除：第一个").click()
    expect(page.locator("#list li")).to_have_count(1)
    expect(page.locator("#toast")).to_contain_text("已删除“第一个”。")
    expect(page.get_by_role("button", name="撤销")).to_be_focused()
    browser.shot(page, "deleted-zh")
    page.keyboard.press("Enter")
    expect(page.locator("#list li")).to_have_count(2)
    expect(page.locator("#list li").nth(1)).to_contain_text("第一个")
    expect(page.locator(".turn.user .body")).to_have_text("第一个")
    page.reload()
    expect(page.locator("#list li")).to_have_count(2)


def check_several(browser: Browser) -> None:
    """Conversations are answered beside each other, and each has its draft."""
    page = browser.open(locale="en-US", viewport=DESKTOP)
    send(page, "Tell me a very long story about a lighthouse.")
    begun(page)
    page.locator("#new").click()
    expect(page.locator("#send")).to_have_text("Send")
    send(page, "Tell me a very long story about a whale.")
    begun(page)
    expect(page.locator("#list li").filter(has_text="answering")).to_have_count(2)
    browser.shot(page, "two-at-once")
    page.keyboard.press("Escape")
    finished(page)
    expect(page.locator("#list li").filter(has_text="answering")).to_have_count(1)
    page.locator("#input").fill("draft of the whale")
    page.locator("#list .open").nth(1).click()
    expect(page.locator("#send")).to_have_text("Stop")
    expect(page.locator("#input")).to_have_value("")
    page.locator("#input").fill("draft of the lighthouse")
    page.keyboard.press("Escape")
    finished(page)
    expect(page.locator(".turn.assistant .tools")).to_contain_text("stopped")
    page.locator("#new").click()
    page.locator("#input").fill("draft of what is new")
    page.reload()
    for place, draft in [(0, "draft of the whale"), (1, "draft of the lighthouse")]:
        page.locator("#list .open").nth(place).click()
        expect(page.locator("#input")).to_have_value(draft)
    page.locator("#new").click()
    expect(page.locator("#input")).to_have_value("draft of what is new")


def check_tabs(browser: Browser) -> None:
    """Two tabs do not write over each other's conversations."""
    first = browser.open(locale="en-US", viewport=DESKTOP)
    set_length(first, 4)
    second = first.context.new_page()
    second.goto(browser.options.url)
    send(first, "of the first")
    finished(first)
    expect(second.locator("#list li")).to_have_count(1)
    second.locator("#new").click()
    send(second, "of the second")
    finished(second)
    expect(first.locator("#list li")).to_have_count(2)
    expect(first.locator(".turn.user .body")).to_have_text("of the first")
    first.get_by_role("button", name="Delete: of the first").click()
    expect(second.locator("#list li")).to_have_count(1)
    expect(second.locator(".turn.user .body")).to_have_text("of the second")


def check_errors(browser: Browser) -> None:
    """Refusals are told in the reader's language, with the server's words behind them."""
    page = browser.open(locale="zh-CN", viewport=DESKTOP)
    expect(page.locator("#model option").first).not_to_have_text("")
    page.locator("#model").evaluate("e => { e.append(new Option('gone')); e.value = 'gone'; }")
    send(page, "你好")
    error = page.locator(".turn.assistant details")
    expect(error.locator("summary")).to_have_text("服务器上已没有这个模型，请另选一个。")
    error.locator("summary").click()
    expect(error.locator("p")).to_contain_text('The model "gone" is not served here.')
    browser.shot(page, "error-zh")
    page.locator("#language").click()
    expect(error.locator("summary")).to_contain_text("The server does not have this model any more")
    page.locator("#language").click()
    page.route("**/v1/chat/completions", lambda route: route.abort())
    page.get_by_role("button", name="重新回答").click()
    expect(page.locator(".turn.assistant summary")).to_have_text("无法连接服务器。")


def check_key(browser: Browser) -> None:
    page = browser.open(locale="zh-CN", viewport=DESKTOP)
    problem = page.locator("#modelProblem")
    expect(problem).to_have_text("请填写 API 密钥")
    browser.shot(page, "key-missing-zh")
    problem.click()
    expect(page.locator("#key")).to_be_focused()
    page.locator("#key").fill("wrong")
    page.keyboard.press("Enter")
    expect(problem).to_have_text("API 密钥有误")
    problem.click()
    page.locator("#key").fill(browser.options.key)
    page.keyboard.press("Enter")
    expect(problem).to_be_hidden()
    expect(page.locator("#model option").first).not_to_have_text("没有模型")
    set_length(page, 4)
    send(page, "hi")
    begun(page)
    run = browser.open("/run", locale="zh-CN", viewport=DESKTOP)
    expect(run.locator("#status")).to_have_text("服务器需要 API 密钥：请在对话页的设置中填写。")


def check_phone(browser: Browser) -> None:
    page = browser.open(
        locale="zh-CN", viewport={"width": 360, "height": 720}, has_touch=True, is_mobile=True, color_scheme="dark")
    expect(page.locator("#side")).not_to_be_visible()
    send(page, "你好！请用中文介绍一下你自己。")
    finished(page)
    assert is_no_wider(page), "the page is wider than the phone"
    browser.shot(page, "phone-zh-dark")
    page.locator("#menu").click()
    expect(page.locator("#side")).to_be_in_viewport(ratio=0.95)
    expect(page.locator("#menu")).to_have_attribute("aria-expanded", "true")
    assert not poor_contrasts(page), poor_contrasts(page)
    browser.shot(page, "phone-menu")
    page.keyboard.press("Escape")
    expect(page.locator("#side")).not_to_be_visible()


def check_composition(browser: Browser) -> None:
    """Enter that ends a Chinese word's composition does not send."""
    page = browser.open(locale="zh-CN")
    page.locator("#input").fill("ni")
    page.locator("#input").evaluate(
        "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, "
        "cancelable: true}))")
    expect(page.locator(".turn")).to_have_count(0)


def check_keyboard(browser: Browser) -> None:
    """All of it can be reached without a pointer, and where one is can be seen."""
    page = browser.open(locale="en-US", viewport=DESKTOP)
    set_length(page, 4)
    send(page, "hi")
    finished(page)
    page.locator("#input").focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.textContent"))
        seen = page.evaluate(
            "(e => e === document.body || (getComputedStyle(e).outlineStyle !== 'none' || e.id === 'input') && getComputedStyle(e).opacity > 0.9)"
            "(document.activeElement)")
        assert seen, f"the focus on {reached} cannot be seen"
    assert {"new", "open", "delete", "language", "theme", "model", "settings", "talk", "input", "send"} <= reached, reached


CHECKS = [
    check_composition, check_chat, check_editing, check_deleting, check_several, check_tabs, check_errors, check_phone,
    check_keyboard]  # fmt: skip
