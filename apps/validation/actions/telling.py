"""Who is told what becomes of a finding, and what of it falls due."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.notices.models import NoticeKind
from apps.notices.notify import LAST_PART, notify
from apps.projects.rules import sees
from apps.validation import rules
from apps.validation.models import FindingState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.validation.models import Finding

_ENDINGS = {
    NoticeKind.FINDING_ACCEPTED: "is settled: its risk was accepted.",
    NoticeKind.FINDING_CLOSED: "is settled: it was closed.",
    NoticeKind.FINDING_HANDED_OVER: "has another owner, who must answer now.",
    NoticeKind.FINDING_REOPENED: "is open again: its owner must answer once more.",
}


def tell_owner(finding: Finding, *, by: User) -> None:
    """Tell the person who must answer that a finding is theirs."""
    until = f" until {_day(finding)}" if finding.due_on else ""
    _tell(
        [finding.owner],
        NoticeKind.FINDING_RAISED,
        finding,
        f"{_named(finding)} is yours to answer{until}.",
        by=by,
    )


def tell_closers(finding: Finding, *, by: User) -> None:
    """Tell whoever raised a finding that it was answered; or who can settle it now."""
    _tell(
        _closers(finding),
        NoticeKind.FINDING_ANSWERED,
        finding,
        f"{_named(finding)} is answered and waits for you to close it or ask again.",
        by=by,
    )


def tell_outcome(
    finding: Finding, kind: NoticeKind, *, by: User, owner: User | None = None
) -> None:
    """Tell owner and raiser what became of a finding.

    Args:
        finding: changed already.
        kind: what became of it.
        by: who did it, who knows.
        owner: who answered for it until now, when somebody else does from now on.
    """
    people = {owner or finding.owner, finding.raised_by}
    if owner:
        people.discard(finding.owner)  # who is told that it is theirs
    sentence = f"{_named(finding)} {_ENDINGS[kind]}"
    _tell(people, kind, finding, sentence, by=by)


@transaction.atomic
def remind_of_finding(*, finding: Finding, by: User) -> None:
    """Tell those for whom a finding waits that it falls due, or is late.

    May be called as often as one likes: nobody is told the same twice.

    Args:
        finding: any finding.
        by: a worker.

    Raises:
        Refused: only workers may.
    """
    ensure(rules.can_remind_of_finding(by, finding))
    if finding.due_on is None or finding.is_settled:
        return
    today = timezone.localdate()
    given = finding.due_on - timezone.localdate(finding.raised_at)
    late = finding.due_on < today
    if not late and finding.due_on - today > LAST_PART * given:
        return
    when = "was due on" if late else "is due on"
    is_open = finding.state == FindingState.OPEN
    wanted = "to be answered" if is_open else "to be closed or asked about again"
    escalated = [finding.raised_by] if late else []
    people = [finding.owner, *escalated] if is_open else _closers(finding)
    notify(
        to=_seeing(finding, people),
        kind=NoticeKind.FINDING_OVERDUE if late else NoticeKind.FINDING_DUE_SOON,
        target=finding,
        sentence=f"{_named(finding)} {when} {_day(finding)} and waits {wanted}.",
        once=str(finding.pk),
    )


def _closers(finding: Finding) -> list[User]:
    """Give the raiser while they can settle it; otherwise everybody who can."""
    if rules.can_close_finding(finding.raised_by, finding):
        return [finding.raised_by]
    return rules.closers(finding)


def _tell(
    people: Iterable[User],
    kind: NoticeKind,
    finding: Finding,
    sentence: str,
    *,
    by: User,
) -> None:
    to = _seeing(finding, [person for person in people if person != by])
    notify(to=to, kind=kind, target=finding, sentence=sentence)


def _seeing(finding: Finding, people: Iterable[User]) -> list[User]:
    return [person for person in people if sees(person, finding.version.model)]


def _named(finding: Finding) -> str:
    weight = finding.get_severity_display()
    return f"{weight} finding {finding.number} on {finding.version}"


def _day(finding: Finding) -> str:
    return f"{finding.due_on:%-d %B %Y}"
