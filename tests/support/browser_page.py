"""A page of the book in a real browser: from disk, without a network, and what to look at there."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from chapters import list_pages
from scripts import BOX

WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}
PHONE = {"width": 390, "height": 844}
SETTINGS = {"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce", "offline": True}
# Only what is wrong is asked for: to list all that is right takes most of the time.
AXE = {"preload": False, "resultTypes": ["violations"], "reporter": "no-passes"}
# In the dark theme only colours are others.
WCAG = {
    "light": AXE | {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "dark": AXE | {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
# A page has thousands of coloured words of code, in few colours that have a test of their own; what
# else can be wrong with code is that it scrolls and no key reaches it.
WHERE = {"exclude": [".highlight"]}
REACHED = """() => [...document.querySelectorAll(".highlight pre")]
    .every(e => e.scrollWidth <= e.clientWidth || e.tabIndex >= 0)"""
STILL = "* { transition: none !important; animation: none !important }"
UNFOLD = """async () => {
    document.querySelectorAll("details").forEach(e => e.open = true);
    document.querySelectorAll(".toggle-hidden").forEach(e => e.classList.remove("toggle-hidden"));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done))) }"""
LOAD_IMAGES = """async () => {
    const all = [...document.images];
    all.forEach(i => i.loading = "eager");
    await Promise.allSettled(all.map(i => i.decode())) }"""
MATH_READY = "async () => window.MathJax?.startup && await MathJax.startup.promise"
# What makes a page scroll sideways.
TOO_WIDE = """() => [...document.querySelectorAll('.bd-main *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent)
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join('\\n')"""
# What a page that has loaded shows broken; a figure out of shape is so by more than rounding.
FAULTS = """box => {
    const all = selector => [...document.querySelectorAll(selector)];
    const shape = i => i.naturalWidth / i.naturalHeight / (i.width / i.height);
    return {
      pictures: all("img").filter(i => !i.naturalWidth).map(i => i.src),
      formulas: all(".math:not(:has(mjx-container))").length,
      "errors in formulas":
        all("mjx-merror, [data-mjx-error], mjx-container [fill=red]").length,
      "letters left out of the font":
        all("mjx-container path").filter(e => e.getAttribute("d")?.includes(box)).map(e => e.id),
      icons: all("svg.svg-inline--fa .missing").length,
      squeezed: all("article img")
        .filter(i => i.width && Math.abs(shape(i) - 1) > 0.03).map(i => i.src),
    } }"""
# What a narrow screen makes too small or cuts off without a word. Letters that a figure holds were drawn with
# 10 points at least, seven inches wide; a link enlarges it. What scrolls is faded where it goes on.
SMALLEST = 9  # px
CRAMPED = """smallest => {
    const all = selector => [...document.querySelectorAll(selector)];
    const lettering = i => 10 / 72 * i.width / 7;
    const size = t => parseFloat(getComputedStyle(t).fontSize) * Math.hypot(t.getScreenCTM().c, t.getScreenCTM().d);
    const goesOn = e => e.scrollWidth - e.clientWidth - e.scrollLeft > 1;
    return {
      "small letters in figures": all("article img:not(.still img)")
        .filter(i => i.width && lettering(i) < smallest && !i.closest("a.shrunk"))
        .map(i => i.alt),
      "small letters in drawings": all("article svg:not(mjx-container svg, .svg-inline--fa) text")
        .filter(t => t.textContent && t.getClientRects().length && size(t) < smallest)
        .map(t => t.textContent),
      "scrolls without saying so": all("article pre, article :has(> table)")
        .filter(e => getComputedStyle(e).overflowX == "auto" && goesOn(e) && !e.matches(".goes-on"))
        .map(e => e.textContent.slice(0, 80)),
    } }"""
# The longest pages first, so that no browser is left alone with one at the end.
LONGEST_FIRST = sorted(list_pages(), key=lambda path: -path.stat().st_size)
PAGES = [f"notebooks/{path.stem}" for path in LONGEST_FIRST] + ["search"]


class Visit:
    """A page opened from disk, the files that it took, and all that went wrong while it was open.

    ``first`` is a script that runs before the page's own.
    """

    def __init__(self, browser: Browser, file: Path, query: str = "", first: str = "", **settings):
        self.problems: list[str] = []
        self.files: set[Path] = set()
        self.context = browser.new_context(**SETTINGS | settings)
        self.page: Page = self.context.new_page()
        self.page.add_init_script(f"{first};")
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on(
            "requestfailed", lambda request: self.problems.append(f"failed: {request.url}")
        )
        self.page.on("request", self.note_request)
        self.page.on("console", self.note_message)
        self.page.goto(file.as_uri() + query)
        self.page.evaluate(MATH_READY)

    def note_request(self, request) -> None:
        address = urlparse(request.url)
        if address.scheme == "file":
            self.files.add(Path(unquote(address.path)))
        elif address.scheme not in ("data", "blob"):
            self.problems.append(f"outside: {request.url}")

    def note_message(self, message) -> None:
        # The theme's script says this once, the first time that a browser has no choice stored.
        if message.type == "error" and "invalid theme mode" not in message.text:
            self.problems.append(f"console: {message.text}")

    def load_images(self) -> None:
        self.page.evaluate(LOAD_IMAGES)

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def show_theme(self, theme: str) -> None:
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def unfold(self) -> None:
        """Open all that folds; scripts look again after a size changes."""
        self.page.add_style_tag(content=STILL)
        self.page.evaluate(UNFOLD)
        self.page.wait_for_function(REACHED, timeout=5000)

    def narrow(self) -> None:
        self.page.set_viewport_size(NARROW)
        self.page.wait_for_function(REACHED, timeout=5000)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()


def visit(browser: Browser, html: Path, name: str, query: str = "") -> Visit:
    return Visit(browser, html / f"{name}.html", query)


def faults(opened: Visit) -> list[str]:
    found = opened.page.evaluate(FAULTS, BOX)
    return [f"{name}: {what}" for name, what in found.items() if what] + opened.problems


def cramped(page: Page) -> list[str]:
    """What cannot be read on the screen that the page is open on."""
    found = page.evaluate(CRAMPED, SMALLEST)
    return [f"{name}: {what}" for name, what in found.items() if what]


def violations(page: Page, theme: str = "light", where: dict = WHERE) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "([where, options]) => axe.run(where, options)"
    found = page.evaluate(run, [where, WCAG[theme]])["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def widest(page: Page) -> str:
    """What makes the page scroll sideways, for the message of a failure."""
    return page.evaluate(TOO_WIDE)


def add_to_article(page: Page, html: str) -> None:
    page.evaluate(
        "html => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html
    )
