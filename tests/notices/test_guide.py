"""What the guide tells receivers to do accepts our messages, and no others."""

import re
import time
from pathlib import Path

import pytest
from django.conf import settings

from apps.notices.sending import signature

GUIDE = Path(settings.BASE_DIR, "docs/guide/notices-and-webhooks.md").read_text()
BODY = b'{"event":"approval.to_sign"}'


@pytest.fixture
def is_ours(tmp_path, monkeypatch):
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    (tmp_path / "receiver_of_the_guide.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    return __import__("receiver_of_the_guide").is_ours


def header(seconds_ago: int = 0) -> str:
    stamp = int(time.time()) - seconds_ago
    return f"t={stamp},v1={signature('secret', stamp, BODY)}"


def test_the_code_of_the_guide_accepts_our_messages(is_ours):
    assert is_ours("secret", header(), BODY)
    assert is_ours("secret", header(seconds_ago=200), BODY)


def test_the_code_of_the_guide_refuses_all_others(is_ours):
    later = header().replace("t=", "t=1")

    assert not is_ours("other", header(), BODY)
    assert not is_ours("secret", header(), BODY + b" ")
    assert not is_ours("secret", header(seconds_ago=400), BODY)
    assert not is_ours("secret", later, BODY)
    assert not is_ours("secret", "", BODY)
