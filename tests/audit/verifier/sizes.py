"""How often random tests are repeated: `AUDIT_FULL=1` asks for the full counts."""

import os

FULL = os.environ.get("AUDIT_FULL") == "1"


def often(usual, *, full):
    return full if FULL else usual
