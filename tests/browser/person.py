"""Somebody in front of a browser, who looks at every page with an eye for barriers."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

AXE = Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE_WIDTH = 375
# How long something may take to come, beside another test on a slow machine.
PATIENCE_MILLISECONDS = 60_000
MOST_HOPS = 4
# What the browser says of a script whose page was left.
LEFT = ("context was destroyed", "axe is not defined")
_SCAN = """
async (tags) => {
  const ours = {include: [["html"]], exclude: [["#swagger-ui"]]};
  const asked = {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']};
  const found = await axe.run(ours, asked);
  return found.violations.map(v => `${v.id}: ${v.help} at ${v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(' | ')}`);
}
"""  # noqa: E501


class Person:
    """One person's browser; every page visited is scanned for accessibility."""

    def __init__(self, page: Page, email: str, password: str, pictures: Path):
        self.page = page
        self.email = email
        self.password = password
        self.pictures = pictures
        self.faults: list[str] = []
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._note_request)
        page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self) -> None:
        self.go("/sign-in/")
        self.fill("E-mail", self.email)
        self.fill("Password", self.password)
        self.press("Sign in")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.look()

    def follow(self, name: str, *, exact: bool = False) -> None:
        self.page.get_by_role("link", name=name, exact=exact).first.click()
        self.page.wait_for_load_state("networkidle")
        self.look()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()
        self.page.wait_for_load_state("networkidle")
        self.look()

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).first.fill(text)

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label).first.select_option(option)

    def tick(self, label: str) -> None:
        # The label is what people see and press; the control is drawn over it.
        self.page.locator("label", has_text=label).first.click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def look(self) -> None:
        """Scan the page as it is; nothing may be found."""
        violations = self._violations()
        assert not violations, f"{self.page.url}\n" + "\n".join(violations)
        assert not self.faults, f"{self.page.url}\n" + "\n".join(self.faults)

    def _violations(self) -> list[str]:
        """Scan; a page that is left during the scan is scanned where it leads."""
        for _ in range(MOST_HOPS):
            try:
                self.page.evaluate(AXE.read_text())
                return self.page.evaluate(_SCAN, TAGS)
            except PlaywrightError as error:
                if not any(sign in str(error) for sign in LEFT):
                    raise
                self.page.wait_for_load_state("networkidle")
        raise AssertionError(f"{self.page.url} does not come to rest.")

    def picture(self, name: str) -> None:
        """Take the page at desktop and phone width."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        for width in (1280, PHONE_WIDTH):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_timeout(400)
            self.page.screenshot(
                path=self.pictures / f"{name}-{width}.png", full_page=True
            )
            self.look()
        self.page.set_viewport_size(before)
        self.fits()

    def fits(self) -> None:
        """A phone shows the page without scrolling sideways."""
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": PHONE_WIDTH, "height": 812})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE_WIDTH, f"{self.page.url} is {wide} px wide on a phone"
        self.page.set_viewport_size(before)

    def _note_console(self, message) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request) -> None:
        if not request.url.startswith(
            ("http://localhost", "http://127.0.0.1", "data:", "blob:")
        ):
            self.faults.append(f"left the host: {request.url}")
