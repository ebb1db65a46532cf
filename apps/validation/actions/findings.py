"""Raising findings, answering them, and settling them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.notices.models import NoticeKind
from apps.projects.rules import can_take_duty
from apps.registry.actions.versions import locked_version
from apps.registry.models import ModelVersion
from apps.validation import rules
from apps.validation.actions.telling import tell_closers, tell_outcome, tell_owner
from apps.validation.models import Finding, FindingState, Severity

if TYPE_CHECKING:
    from datetime import date

    from apps.accounts.models import User
    from apps.validation.models import ValidationReport

MAX_TITLE_CHARACTERS = 200
MAX_TEXT_CHARACTERS = 4000
SAY_WHY = "Say why."


@dataclass(frozen=True)
class NewFinding:
    """What a validator holds against a version.

    Attributes:
        title: in a few words.
        text: what was found, and how.
        severity: a value of `Severity`.
        owner: who must answer; sees the model.
        due_on: until when, if it matters.
        report: where it was read, of the same version.
    """

    title: str
    text: str
    severity: str
    owner: User
    due_on: date | None = None
    report: ValidationReport | None = None


@transaction.atomic
def raise_finding(*, version: ModelVersion, wish: NewFinding, by: User) -> Finding:
    """Hold something against a version; its owner must answer.

    Args:
        version: challenged.
        wish: what is held against it.
        by: a validator who did not build it.

    Raises:
        Invalid: a text is missing or too long, the severity or the owner cannot be.
        Refused: the person may not.
    """
    version = locked_version(version)
    ensure(rules.can_raise_finding(by, version))
    title, text = _checked(wish, version)
    said = {
        "title": title,
        "text": text,
        "severity": wish.severity,
        "owner": wish.owner,
        "due_on": wish.due_on,
        "report": wish.report,
        "raised_by": by,
    }
    if first := version.findings.filter(state=FindingState.OPEN, **said).first():
        return first  # a form that was sent twice
    finding = Finding.objects.create(
        version=version, number=version.findings.count() + 1, **said
    )
    record(
        EventType.FINDING_RAISED,
        target=finding,
        project=finding.project,
        by=by,
        changes={
            "version": str(version),
            "title": title,
            "severity": finding.severity,
            "owner": str(wish.owner.pk),
            "due_on": wish.due_on.isoformat() if wish.due_on else "",
        },
        reason=text,
    )
    tell_owner(finding, by=by)
    return finding


@transaction.atomic
def answer_finding(*, finding: Finding, answer: str, by: User) -> Finding:
    """Answer a finding; a validator then closes it or asks again.

    Raises:
        Invalid: nothing is said, or too much.
        Refused: somebody else must answer.
        WrongState: it is settled.
    """
    answer = _text("answer", answer, "Say what was done, or why nothing is.")
    finding = _locked(finding)
    ensure(rules.can_answer_finding(by, finding))
    if (finding.state, finding.answer) == (FindingState.ANSWERED, answer):
        return finding  # a form that was sent twice
    finding.advance(FindingState.ANSWERED)
    finding.answer, finding.answered_at = answer, timezone.now()
    finding.save()
    _record(EventType.FINDING_ANSWERED, finding, by, answer)
    tell_closers(finding, by=by)
    return finding


@transaction.atomic
def hand_over_finding(*, finding: Finding, owner: User, by: User) -> Finding:
    """Have somebody else answer a finding, such as when its owner has left.

    Args:
        finding: open.
        owner: who must answer from now on; sees the model.
        by: a validator or a program manager, who neither owns it nor built the version.

    Raises:
        Invalid: nobody can lay a duty on this person.
        Refused: the person may not.
        WrongState: it is not open.
    """
    finding = _locked(finding)
    ensure(rules.can_hand_over_finding(by, finding))
    if owner == finding.owner:
        return finding  # a form that was sent twice
    _check_owner(owner, finding.version)
    before, finding.owner = finding.owner, owner
    finding.save()
    record(
        EventType.FINDING_HANDED_OVER,
        target=finding,
        project=finding.project,
        by=by,
        changes={
            "version": str(finding.version),
            "owner": [str(before.pk), str(owner.pk)],
        },
    )
    tell_owner(finding, by=by)
    tell_outcome(finding, NoticeKind.FINDING_HANDED_OVER, by=by, owner=before)
    return finding


@transaction.atomic
def close_finding(*, finding: Finding, closing: str, by: User) -> Finding:
    """Close a finding as dealt with, or as a mistake.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: only a validator who neither built the version nor owns the finding.
        WrongState: it is settled.
    """
    closing = _text("closing", closing, SAY_WHY)
    finding = _locked(finding)
    ensure(rules.can_close_finding(by, finding))
    return _settle(finding, FindingState.CLOSED, closing, by)


@transaction.atomic
def accept_finding(*, finding: Finding, closing: str, by: User) -> Finding:
    """Take on the risk of a finding that does not block.

    Raises:
        Invalid: no ground is given, or it is too long.
        Refused: only a program manager who did not build the version.
        WrongState: it is settled, or blocking.
    """
    closing = _text("closing", closing, SAY_WHY)
    finding = _locked(finding)
    ensure(rules.can_accept_finding(by, finding))
    return _settle(finding, FindingState.ACCEPTED, closing, by)


@transaction.atomic
def reopen_finding(*, finding: Finding, closing: str, by: User) -> Finding:
    """Open a finding again: its answer does not do, or it came back.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: the person may not.
        WrongState: it is open.
    """
    closing = _text("closing", closing, SAY_WHY)
    finding = _locked(finding)
    ensure(rules.can_reopen_finding(by, finding))
    finding.advance(FindingState.OPEN)
    finding.closing, finding.settled_by, finding.settled_at = closing, None, None
    finding.save()
    _record(EventType.FINDING_REOPENED, finding, by, closing)
    tell_outcome(finding, NoticeKind.FINDING_REOPENED, by=by)
    return finding


_SETTLED = {
    FindingState.CLOSED: (EventType.FINDING_CLOSED, NoticeKind.FINDING_CLOSED),
    FindingState.ACCEPTED: (EventType.FINDING_ACCEPTED, NoticeKind.FINDING_ACCEPTED),
}


def _settle(finding: Finding, to: FindingState, closing: str, by: User) -> Finding:
    finding.advance(to)
    finding.closing = closing
    finding.settled_by, finding.settled_at = by, timezone.now()
    finding.save()
    event, kind = _SETTLED[to]
    _record(event, finding, by, closing)
    tell_outcome(finding, kind, by=by)
    return finding


def _locked(finding: Finding) -> Finding:
    joined = Finding.objects.select_for_update(of=("self",), no_key=True)
    joined = joined.select_related("version__model__project", "owner", "raised_by")
    return joined.get(pk=finding.pk)


def _record(event: EventType, finding: Finding, by: User, reason: str) -> None:
    record(
        event,
        target=finding,
        project=finding.project,
        by=by,
        changes={"version": str(finding.version), "severity": finding.severity},
        reason=reason,
    )


def _checked(wish: NewFinding, version: ModelVersion) -> tuple[str, str]:
    title = wish.title.strip()
    if not 0 < len(title) <= MAX_TITLE_CHARACTERS:
        sentence = f"Give a title of 1 to {MAX_TITLE_CHARACTERS} characters."
        raise Invalid(sentence, fields={"title": sentence})
    if wish.severity not in Severity.values:
        sentence = f"Choose one of {', '.join(Severity.values)}."
        raise Invalid(sentence, fields={"severity": sentence})
    if wish.report and wish.report.version_id != version.pk:
        sentence = "This report is not about this version."
        raise Invalid(sentence, fields={"report": sentence})
    _check_owner(wish.owner, version)
    return title, _text("text", wish.text, "Say what was found, and how.")


def _check_owner(owner: User, version: ModelVersion) -> None:
    if not (may_own := can_take_duty(owner, version.model)):
        raise Invalid(may_own.reason, fields={"owner": may_own.reason})


def _text(field: str, text: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(missing, fields={field: missing})
    if len(text) > MAX_TEXT_CHARACTERS:
        sentence = f"Use at most {MAX_TEXT_CHARACTERS:,} characters."
        raise Invalid(sentence, fields={field: sentence})
    return text
