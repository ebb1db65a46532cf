"""Markdown of people: readable, and able to do nothing."""

import time

import pytest

from apps.core.prose import MOST_CHARACTERS, rendered


def test_markdown_becomes_what_it_means():
    html = rendered(
        "# Goal\n\n- **one**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx<y\n```"
    )

    for part in (
        "<h3>Goal</h3>",
        "<strong>one</strong>",
        "<td>1</td>",
        "<pre><code>x&lt;y",
    ):
        assert part in html


def test_links_lead_away_without_telling_from_where():
    html = rendered("[there](https://example.org/ 'x')")

    assert 'href="https://example.org/"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](https://elsewhere.example/pixel.png)",
        "<a href='https://x.example' style='position:fixed'>x</a>",
        "[x](vbscript:x)",
        "<iframe src=/></iframe>",
    ],
)
def test_nothing_in_a_note_can_act(text):
    html = rendered(text)

    for part in ("<script", "<img", "<iframe", 'href="java', 'href="data', "<a style"):
        assert part not in html
    assert 'href="vb' not in html


def test_a_picture_is_its_name():
    assert rendered("![the plot](x.png)") == "<p>the plot</p>\n"


@pytest.mark.parametrize("sign", ["[", ">", "- ", "*a_", "|", "`", "<", "![", "[a]("])
def test_hostile_notes_take_no_time(sign):
    began = time.process_time()

    rendered((sign * MOST_CHARACTERS)[:MOST_CHARACTERS])

    assert time.process_time() - began < 60  # what is not linear takes many minutes


def test_what_is_too_long_stays_as_it_is():
    assert rendered("#" * (MOST_CHARACTERS + 1)).startswith("<pre>###")
