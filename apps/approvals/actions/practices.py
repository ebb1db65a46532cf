"""Stating how a version stands with the minimum practices."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.approvals import rules
from apps.approvals.actions.moves import checked_text
from apps.approvals.models import PracticeState, PracticeStatement
from apps.approvals.practices import practices
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.projects.rules import can_take_duty
from apps.registry.actions.versions import locked_version
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_LINKS = 10
MAX_LINK_CHARACTERS = 500


@dataclass(frozen=True)
class NewStatement:
    """What somebody states about a practice.

    Attributes:
        practice: its slug.
        state: one for which the official choices have an answer.
        text: what shows it, or why it does not apply.
        links: addresses of reports, cards and documents.
        owner: who finishes what is in progress; only then.
        due_on: the last day for that; only then.
    """

    practice: str
    state: str
    text: str
    links: list[str] = field(default_factory=list)
    owner: User | None = None
    due_on: date | None = None


@transaction.atomic
def state_practice(
    *, version: ModelVersion, statement: NewStatement, by: User
) -> PracticeStatement:
    """Say how a version stands with a practice; the statement before stays readable.

    What was signed about the version rests on the statements of that moment, so that
    a new one ends an approval in which the practice counts.

    Args:
        version: not rejected.
        statement: what is said.
        by: who may state it; does not sign the version.

    Raises:
        Invalid: the official choices have no such answer, or something is missing.
        Refused: the person may not.
        WrongState: the version was rejected.
    """
    # The row serialises what is stated, so that a second click finds the first.
    version = locked_version(version)
    ensure(rules.can_state_practice(by, version))
    wish = _checked(statement, version)
    newest = PracticeStatement.objects.filter(version=version).newest()
    before = newest.filter(practice=wish.practice).select_related("version").first()
    if before and _same(before, wish, by):
        return before
    given = PracticeStatement.objects.create(
        version=version, written_by=by, **vars(wish)
    )
    record(
        EventType.PRACTICE_STATED,
        target=version,
        project=version.project,
        by=by,
        changes={
            wish.practice: [before.state if before else None, wish.state],
            "statement_id": str(given.pk),
            "statement_sha256": given.digest,
        },
    )
    return given


def _same(before: PracticeStatement, wish: NewStatement, by: User) -> bool:
    said = all(getattr(before, name) == value for name, value in vars(wish).items())
    return said and before.written_by_id == by.pk


def _checked(wish: NewStatement, version: ModelVersion) -> NewStatement:
    known = practices().get(wish.practice)
    if known is None:
        raise _invalid("practice", f"Use one of: {', '.join(practices())}.")
    if wish.state not in known.answers:
        labels = [PracticeState(state).label.lower() for state in known.answers]
        raise _invalid(
            "state",
            f"For {known.short} the official choices are {', '.join(labels)}, or a "
            "waiver of the AI official.",
        )
    text = checked_text(wish.text, field="text")
    if not text:
        raise _invalid("text", "Say what shows it, or why it does not apply.")
    owner, due_on = _duty(wish, version)
    return NewStatement(
        practice=wish.practice,
        state=str(wish.state),
        text=text,
        links=_links(wish.links),
        owner=owner,
        due_on=due_on,
    )


def _duty(wish: NewStatement, version: ModelVersion) -> tuple[User | None, date | None]:
    if wish.state != PracticeState.IN_PROGRESS:
        return None, None
    if wish.owner is None:
        raise _invalid("owner", "Say who finishes it.")
    if wish.due_on is None or wish.due_on < timezone.localdate():
        raise _invalid("due_on", "Say by when: today or later.")
    if not (may_own := can_take_duty(wish.owner, version.model)):
        raise _invalid("owner", may_own.reason)
    return wish.owner, wish.due_on


def _links(links: list[str]) -> list[str]:
    kept = [link.strip() for link in links if link.strip()]
    if len(kept) > MAX_LINKS:
        raise _invalid("links", f"Give at most {MAX_LINKS} addresses.")
    for link in kept:
        begins = link.startswith(("https://", "http://", "/"))
        if not begins or len(link) > MAX_LINK_CHARACTERS or not link.isprintable():
            raise _invalid(
                "links", f"“{link[:60]}” is no address: it begins with https:// or /."
            )
    return kept


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={name: sentence})
