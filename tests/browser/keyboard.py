"""Hands that never leave the keyboard, and eyes that must always see the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.person import Person

MOST_STOPS = 150
FIELDS = ("input", "textarea")
# Where the focus is, what it is called, and whether somebody can see it.
_FOCUS = """
() => {
  const held = document.activeElement;
  const label = held.labels?.[0];
  // USWDS draws boxes and circles on the label; the control itself is out of sight.
  const drawn = ["checkbox", "radio"].includes(held.type) ? label : held;
  const pseudo = drawn === label && label ? "::before" : null;
  const rings = [getComputedStyle(drawn, pseudo), getComputedStyle(held)];
  const box = drawn.getBoundingClientRect();
  const [x, y] = [box.left + Math.min(box.width / 2, 200), box.top + Math.min(box.height / 2, 20)];
  const above = document.elementFromPoint(x, y);
  return {
    name: (label ?? held).getAttribute("aria-label") || (label ?? held).textContent.trim().replace(/\\s+/g, " "),
    tag: held.tagName.toLowerCase(),
    id: held.id,
    where: held.outerHTML.slice(0, 160),
    // Within a date field, the browser draws the ring around its own button.
    hasRing: !held.matches(":focus") || rings.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0),
    isSeen: above !== null && (drawn.contains(above) || above.contains(drawn)),
    order: [...document.querySelectorAll("[tabindex]")].filter((one) => one.tabIndex > 0).length,
  };
}
"""  # noqa: E501


class Keyboard:
    """One person's keyboard. Pages are reached by what can be focused on them only."""

    def __init__(self, person: Person):
        self.person = person
        self.page = person.page
        # What slides in is looked at where it comes to rest.
        self.page.emulate_media(reduced_motion="reduce")

    def focus(self) -> dict[str, Any]:
        """Tell where the focus is."""
        found: dict[str, Any] = self.page.evaluate(_FOCUS)
        return found

    def tab(self, key: str = "Tab") -> dict[str, Any]:
        """Go one stop on; the focus must be seen there."""
        self.page.keyboard.press(key)
        found = self.focus()
        if found["tag"] != "body":  # beyond the last stop is the browser itself
            assert found["hasRing"], f"No ring around {found['where']}"
            assert found["isSeen"], f"Out of sight: {found['where']}"
            assert not found["order"], "A tabindex above 0 changes the order."
        return found

    def tab_to(self, name: str, tag: str = "", *, back: bool = False) -> None:
        """Go on until the focus is on what is called so."""
        passed = []
        for _ in range(MOST_STOPS):
            found = self.tab("Shift+Tab" if back else "Tab")
            if name in found["name"] and tag in ("", found["tag"]):
                return
            passed.append(found["name"][:40])
        raise AssertionError(f"No way to {name} on {self.page.url}: {passed}")

    def type_into(self, label: str, text: str) -> None:
        """Go to a field, unless the page leads there, and write into it."""
        found = self.focus()
        if found["tag"] not in FIELDS or label not in found["name"]:
            self.tab_to(label)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, name: str, tag: str = "", key: str = "Enter") -> None:
        """Go to a link or button, press it, and look at the page that comes."""
        self.tab_to(name, tag)
        self.enter(key)

    def enter(self, key: str = "Enter") -> None:
        """Press what has the focus, and look at what comes of it."""
        self.page.keyboard.press(key)
        self.page.wait_for_load_state("networkidle")
        self.person.look()

    def skip(self) -> None:
        """Leave out what stands above every page."""
        found = self.tab()
        assert found["name"] == "Skip to main content"
        self.page.keyboard.press("Enter")
        assert self.focus()["id"] == "main"

    def jump(self, name: str, *, back: bool = False) -> None:
        """Follow a link to a part of the same page: the next stop is within it."""
        self.tab_to(name, "a", back=back)
        part = self.page.evaluate("document.activeElement.hash.slice(1)")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(f"#{part}")).to_be_in_viewport()
        self.tab()
        inside = f"document.getElementById('{part}').contains(document.activeElement)"
        assert self.page.evaluate(inside), f"#{part} is not where the focus goes"

    def is_led_to_errors(self) -> None:
        """The summary of errors has the focus, and its link leads to the field."""
        expect(self.page.locator("[data-focus]:focus")).to_be_in_viewport()
        self.tab()
        field = self.page.evaluate("document.activeElement.hash.slice(1)")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(f"#{field}")).to_be_focused()
