import json
import re

import pytest
from django.urls import reverse

from apps.home import cards
from apps.home.templatetags.markdown_text import md, md_text
from apps.projects import actions as projects
from apps.registry import actions as registry
from apps.registry.models import ModelVersion
from apps.registry.queries import with_card_parts
from tests.factories import approvals
from tests.factories import registry as registry_factory

EVIL = "<script>alert(1)</script> [x](javascript:alert(2)) | **b** `c` <img src=x>"


def read_anew(version) -> ModelVersion:
    return with_card_parts(ModelVersion.objects.filter(pk=version.pk)).get()


def address(version, wanted: str = "") -> str:
    found = reverse(
        "v1:card", args=[version.project.slug, version.model.name, version.number]
    )
    return f"{found}?format={wanted}" if wanted else found


@pytest.fixture
def champion(world) -> ModelVersion:
    return read_anew(approvals.approved(world).version)


def test_card_gathers_record_validation_and_signatures(champion):
    card = cards.model_card(champion)

    assert card["identity"]["is_champion"] is True
    assert card["validation"]["verdict"] == "pass"
    assert [signature["name"] for signature in card["approval"]["signatures"]] == [
        "Vera Validator",
        "Oscar Operations",
        "Petra Program",
    ]
    assert card["files"]["manifest_digest"] == champion.manifest_digest
    assert json.loads(cards.card_json(card)) == card


def test_card_of_a_draft_says_what_is_not_there(world):
    version = registry_factory.model_version(world.project, world.data_scientist)

    text = cards.card_markdown(cards.model_card(read_anew(version)))

    assert "This version was not measured yet." in text
    assert "No approval was asked for." in text
    assert "Nothing was written." in text


def test_card_before_anybody_signed(world):
    approval = approvals.request(world)

    text = cards.card_markdown(cards.model_card(read_anew(approval.version)))

    assert "Nobody has signed yet." in text
    assert approval.evidence_digest in text


def test_card_in_markdown_has_whole_tables(champion):
    text = cards.card_markdown(cards.model_card(champion))

    html = cards.card_html(cards.model_card(champion))

    assert "| Recall | 0.7 | 0.63 to 0.77 | at least 0.6 | Pass |" in text
    assert "\n\n\n" not in text
    assert html.count("<table>") == 9
    assert "|" not in re.sub(r"<[^>]+>", "", html)


def test_card_escapes_what_people_wrote(world, champion):
    version = registry_factory.model_version(
        world.project, world.data_scientist, name="other", description=EVIL
    )
    sections = {"limitations": f"# Not a heading\n\n1. no list\n{EVIL}"}
    registry.edit_card(version=version, sections=sections, by=world.data_scientist)
    projects.edit_project(
        project=world.project,
        values={"name": EVIL, "mission": EVIL},
        by=world.program_manager,
    )

    html = cards.card_document(cards.model_card(read_anew(version)))

    for tag in ("<script", "<img", "<a ", "<strong>b", "<code"):
        assert tag not in html
    assert "<h1>Not a heading" not in html
    assert "<ol>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b*c", r"a\_b\*c"),
        ("a|b\nc", r"a\|b c"),
        ("- item", r"\- item"),
        ("3. item", r"3\. item"),
        ("0.7", "0.7"),
        ("&copy; <b>", "&amp;copy; &lt;b&gt;"),
        (r"\`x", r"\\\`x"),
        (7, "7"),
    ],
)
def test_md_keeps_text_as_text(text, escaped):
    assert md(text) == escaped


def test_md_text_keeps_paragraphs_and_stops_code_blocks():
    assert md_text("One.\n\n    # two\n===") == "One.\n\n\\# two\n&#61;&#61;&#61;"


@pytest.mark.parametrize(
    ("wanted", "media_type"),
    [
        ("", "application/json"),
        ("json", "application/json"),
        ("md", "text/markdown; charset=utf-8"),
        ("html", "text/html; charset=utf-8"),
    ],
)
def test_card_over_the_api_comes_in_three_formats(
    world, champion, api_of, wanted, media_type
):
    client = api_of(world.developer)

    answer = client.get(address(champion, wanted))
    again = client.get(
        address(champion, wanted), headers={"If-None-Match": answer["ETag"]}
    )

    assert answer["Content-Type"] == media_type
    assert champion.manifest_digest in answer.content.decode()
    assert again.status_code == 304


def test_card_as_a_document_allows_its_own_style_only(world, champion, api_of):
    answer = api_of(world.developer).get(address(champion, "html"))

    policy = answer["Content-Security-Policy"]
    assert policy == cards.CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in policy
    assert f"<style>{cards.STYLE}</style>" in answer.content.decode()
    assert "<script" not in answer.content.decode()


def test_card_in_an_unknown_format_answers_422(world, champion, api_of):
    answer = api_of(world.developer).get(address(champion, "pdf"))

    assert answer.status_code == 422
    assert "format" in answer.json()["fields"]
