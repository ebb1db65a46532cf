"""Waiving minimum practices for a use, ending that, and reporting both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import exception_queries, rules
from apps.approvals.actions.moves import checked_text
from apps.approvals.exception_records import (
    revocation_text,
    sealed,
    signed_by,
    waiver_text,
)
from apps.approvals.models import (
    ENDING_DAYS,
    MOST_WAIVER_DAYS,
    Ground,
    Reported,
    Waiver,
    WaiverReport,
    WaiverRevocation,
)
from apps.approvals.practices import practices
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.notices.models import NoticeKind
from apps.notices.notify import notify
from apps.projects.models import Project
from apps.projects.queries import active_members

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_REFERENCE_CHARACTERS = 200


@dataclass(frozen=True)
class NewWaiver:
    """What an AI official grants.

    Attributes:
        practices: slugs of the practices that are waived.
        ground: one of the two.
        finding: the written assessment of this use.
        public_summary: what the public reads of it.
        expires_on: the last day, at most a year ahead.
    """

    practices: list[str]
    ground: str
    finding: str
    public_summary: str
    expires_on: date


def grant_waiver(
    *, project: Project, waiver: NewWaiver, password: str, by: User
) -> Waiver:
    """Waive minimum practices for one use until a day; signed anew each year.

    Args:
        project: the use, determined to be high-impact.
        waiver: what is granted.
        password: of `by`, entered anew.
        by: an AI official who took no part in making a model of the use.

    Raises:
        Invalid: something is missing, or a practice is waived for as long already.
        Refused: the person may not; the message says why.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: the use is not high-impact.
    """
    wish = _checked(waiver)
    ensure(rules.can_grant_waiver(by, project))
    confirm_password(by=by, password=password)
    with transaction.atomic():
        # The project row serialises them, so that a second click finds the first.
        project = Project.objects.select_for_update().get(pk=project.pk)
        ensure(rules.can_grant_waiver(by, project))
        _check_overlap(project, wish)
        granted = signed_by(Waiver(project=project, **vars(wish)), by)
        sealed(granted, waiver_text(granted)).save()
        record(
            EventType.WAIVER_GRANTED,
            target=granted,
            project=project,
            by=by,
            changes={
                "practices": granted.practices,
                "ground": granted.ground,
                "expires_on": granted.expires_on.isoformat(),
                "report_due_on": granted.report_due_on.isoformat(),
                "record_sha256": granted.record_sha256,
            },
            reason=granted.finding,
        )
        _tell(
            granted,
            NoticeKind.WAIVER_GRANTED,
            f"Minimum practices were waived for {project} until "
            f"{_day(granted.expires_on)}: {_named(granted)}.",
            but=by,
        )
        return granted


def revoke_waiver(*, waiver: Waiver, reason: str, password: str, by: User) -> Waiver:
    """End a waiver; what rests on it serves no more from this moment on.

    Args:
        waiver: active.
        reason: must be given.
        password: of `by`, entered anew.
        by: an AI official.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: the person may not.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: the waiver is not active.
    """
    reason = checked_text(reason, field="comment")
    if not reason:
        raise _invalid("comment", "Say why the waiver must end.")
    ensure(rules.can_revoke_waiver(by, waiver))
    confirm_password(by=by, password=password)
    with transaction.atomic():
        waiver = locked_waiver(waiver)
        ensure(rules.can_revoke_waiver(by, waiver))
        ended = signed_by(WaiverRevocation(waiver=waiver, reason=reason), by)
        sealed(ended, revocation_text(ended)).save()
        record(
            EventType.WAIVER_REVOKED,
            target=waiver,
            project=waiver.project,
            by=by,
            changes={
                "practices": waiver.practices,
                "report_due_on": ended.report_due_on.isoformat(),
                "waiver_sha256": waiver.record_sha256,
                "record_sha256": ended.record_sha256,
            },
            reason=reason,
        )
        _tell(
            waiver,
            NoticeKind.WAIVER_REVOKED,
            f"A waiver for {waiver.project} was revoked: {_named(waiver)}. What rests "
            "on it serves no more.",
            but=by,
        )
        return waiver


@transaction.atomic
def report_waiver(
    *, waiver: Waiver, what: Reported, reported_on: date, reference: str, by: User
) -> WaiverReport:
    """Record that the granting or the revoking of a waiver was reported to OMB.

    Args:
        waiver: any.
        what: granting or revoking.
        reported_on: the day, not before it happened and not to come.
        reference: under which number or address the report can be found.
        by: an AI official.

    Raises:
        Invalid: the day cannot be, or there is no reference.
        Refused: the person may not.
        WrongState: it was not revoked, or was reported already.
    """
    waiver = locked_waiver(waiver)
    ensure(rules.can_report_waiver(by, waiver, what))
    reference = checked_text(reference, field="reference")
    if not reference or len(reference) > MAX_REFERENCE_CHARACTERS:
        raise _invalid("reference", "Give a number or address of 1 to 200 characters.")
    signed = waiver if what == Reported.GRANTING else waiver.revocation
    first = timezone.localdate(signed.signed_at)
    if not first <= reported_on <= timezone.localdate():
        raise _invalid("reported_on", f"Give a day from {_day(first)} until today.")
    given = WaiverReport.objects.create(
        waiver=waiver,
        what=what,
        reported_on=reported_on,
        reference=reference,
        recorded_by=by,
    )
    record(
        EventType.WAIVER_REPORTED,
        target=waiver,
        project=waiver.project,
        by=by,
        changes={
            "what": what.value,
            "reported_on": reported_on.isoformat(),
            "reference": reference,
        },
    )
    return given


@transaction.atomic
def remind_of_waiver(*, waiver: Waiver, by: User) -> None:
    """Tell of a waiver what is to be reported, what is overdue and what ends.

    May be called as often as one likes: nobody is told the same twice.

    Args:
        waiver: any, with its story.
        by: a worker.

    Raises:
        Refused: only workers may.
    """
    ensure(rules.can_remind_of_waiver(by, waiver))
    today = timezone.localdate()
    for duty in waiver.duties:
        if duty.report:
            continue
        late = duty.is_overdue
        notify(
            to=exception_queries.ai_officials(),
            kind=(
                NoticeKind.WAIVER_REPORT_OVERDUE
                if late
                else NoticeKind.WAIVER_REPORT_DUE
            ),
            target=waiver,
            sentence=f"{duty.label} the {waiver} "
            + ("was to be reported" if late else "is to be reported")
            + f" to OMB by {_day(duty.due_on)}"
            + (" and is overdue." if late else "."),
            once=f"{waiver.pk}:{duty.what}",
        )
    if waiver.standing == "over":
        _tell(
            waiver,
            NoticeKind.WAIVER_ENDED,
            f"A waiver for {waiver.project} is over: {_named(waiver)}. What rests on "
            "it serves no more.",
            once=str(waiver.pk),
        )
    elif waiver.standing == "active" and waiver.expires_on <= today + timedelta(
        days=ENDING_DAYS
    ):
        _tell(
            waiver,
            NoticeKind.WAIVER_ENDS_SOON,
            f"A waiver for {waiver.project} ends on {_day(waiver.expires_on)}: "
            f"{_named(waiver)}. Meet the practices, or have it assessed anew.",
            once=str(waiver.pk),
        )


def locked_waiver(waiver: Waiver) -> Waiver:
    """Read a waiver anew with its story, for as long as the transaction lasts.

    The project row stands for it: nothing may change in the row of a waiver.
    """
    Project.objects.select_for_update().get(pk=waiver.project_id)
    return Waiver.objects.with_story().get(pk=waiver.pk)


def _checked(wish: NewWaiver) -> NewWaiver:
    known = practices()
    named = [slug for slug in known if slug in wish.practices]
    if not named or set(wish.practices) - set(known):
        raise _invalid("practices", f"Name some of: {', '.join(known)}.")
    if wish.ground not in Ground.values:
        raise _invalid("ground", f"Use one of: {', '.join(Ground.values)}.")
    finding = checked_text(wish.finding, field="finding")
    summary = checked_text(wish.public_summary, field="public_summary")
    if not finding:
        raise _invalid("finding", "Write what the assessment of this use found.")
    if not summary:
        raise _invalid("public_summary", "Write what the public shall read.")
    today = timezone.localdate()
    latest = today + timedelta(days=MOST_WAIVER_DAYS)
    if not today <= wish.expires_on <= latest:
        raise _invalid(
            "expires_on", f"Choose a day until {_day(latest)}: a year at the most."
        )
    return NewWaiver(named, str(wish.ground), finding, summary, wish.expires_on)


def _check_overlap(project: Project, wish: NewWaiver) -> None:
    standing = Waiver.objects.active().filter(
        project=project, expires_on__gte=wish.expires_on
    )
    waived = {slug for waiver in standing for slug in waiver.practices}
    if again := [practices()[slug].short for slug in wish.practices if slug in waived]:
        sentence = f"Waived for as long already: {', '.join(again)}."
        raise _invalid("practices", sentence)


def _tell(
    waiver: Waiver,
    kind: NoticeKind,
    sentence: str,
    *,
    but: User | None = None,
    once: str = "",
) -> None:
    concerned = {*active_members(waiver.project), *exception_queries.ai_officials()}
    notify(
        to=concerned - {but},
        kind=kind,
        target=waiver,
        sentence=sentence,
        once=once,
    )


def _named(waiver: Waiver) -> str:
    return ", ".join(practices()[slug].short for slug in waiver.practices)


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={name: sentence})
