from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from apps.audit.anchors.standing import outside
from apps.audit.models import Checkpoint, Head, Publication, PublicationState
from tests.audit.sealing import ORIGIN, happen
from tests.audit.test_sealer_process import told

ADDRESS = "dir:///mnt/other"


@pytest.fixture
def head(db, settings):
    settings.AUDIT_ANCHORS = [ADDRESS]
    happen(1)
    return Head.objects.create(pk=1)


def ago(**span):
    return timezone.now() - timedelta(**span)


def published(size, at):
    Publication.objects.create(
        target=ADDRESS,
        origin=ORIGIN,
        size=size,
        state=PublicationState.DONE,
        created_at=at,
        done_at=at,
    )


def owed(size, since, reason=""):
    Publication.objects.create(
        target=ADDRESS,
        origin=ORIGIN,
        size=size,
        created_at=since,
        last_error=reason,
    )


def test_nothing_is_owed_before_something_is_sealed(head):
    found = outside()

    assert (found.problem, found.size, found.anchored_at) == ("", 0, None)
    assert found.anchors[0].word == "ok"


def test_an_anchor_within_its_patience_is_up_to_date(head, client):
    published(7, ago(minutes=70))

    found = outside()

    assert found.problem == ""
    assert (found.size, found.anchors[0].size, found.anchors[0].word) == (7, 7, "ok")
    assert client.get("/healthz").json()["audit"] == "ok"


def test_a_failed_attempt_is_shown_and_not_yet_an_alarm(head):
    owed(7, ago(minutes=14), "The share is gone.")

    [anchor] = outside().anchors

    assert (anchor.word, anchor.sentence) == ("waiting", "The share is gone.")
    assert outside().problem == ""


@pytest.mark.parametrize(
    "arrange",
    [
        lambda: owed(7, ago(minutes=16), "The share is gone."),
        lambda: published(7, ago(minutes=76)),
        lambda: Checkpoint.objects.create(
            size=1, root=b"r", note="n", created_at=ago(minutes=16)
        ),
    ],
    ids=["not taken", "no heartbeat", "never published"],
)
def test_an_anchor_beyond_its_patience_is_late(head, client, arrange):
    arrange()

    [anchor] = outside().anchors

    assert anchor.word == "late"
    assert "Owed a checkpoint since" in anchor.sentence
    assert client.get("/healthz").json()["audit"] == "late"
    with pytest.raises(CommandError, match="late: Directory dir:///mnt/other: Owed"):
        told("check_audit_trail")


def test_a_late_anchor_says_why(head):
    owed(7, ago(minutes=16), "The share is gone.")

    assert outside().anchors[0].sentence.endswith("UTC. The share is gone.")


def test_patience_is_set_in_the_address(head, settings):
    settings.AUDIT_ANCHORS = [f"{ADDRESS}?late=1800"]
    owed(7, ago(minutes=16))

    assert outside().problem == ""


def test_a_malformed_setting_is_a_problem_and_no_crash(head, settings, client):
    settings.AUDIT_ANCHORS = ["ftp://host"]

    assert "is no anchor" in outside().problem
    assert client.get("/healthz").json()["audit"] == "late"


def test_silence_of_the_portal_is_late(head, client, settings):
    settings.AUDIT_ANCHORS = []
    settings.AUDIT_HEARTBEAT_SECONDS = 0

    with pytest.raises(CommandError, match="not even that the portal is alive"):
        told("check_audit_trail")


def test_the_page_shows_every_anchor(head, settings, auditor, client_of):
    owed(7, ago(minutes=16), "Reason <b>.")
    settings.AUDIT_ANCHORS = [ADDRESS, "syslog://loghost"]

    html = client_of(auditor).get("/audit/").content.decode()

    assert "Late" in html
    assert "Reason &lt;b&gt;." in html
    assert "syslog://loghost" in html


def test_the_page_says_that_nothing_is_outside(head, settings, auditor, client_of):
    settings.AUDIT_ANCHORS = []

    html = client_of(auditor).get("/audit/").content.decode()

    assert "No place outside is set" in html
