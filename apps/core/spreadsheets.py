"""Text for programs that take some of it for a formula."""

from typing import Final

# Characters that make a spreadsheet read a cell as a formula.
FORMULA_STARTS: Final = frozenset("=+-@\t\r\n")


def plain_cell(text: str) -> str:
    """Write a text so that no spreadsheet computes it."""
    return f"'{text}" if text[:1] in FORMULA_STARTS else text
