"""Letting a version serve in an emergency: one declares, two others confirm."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import emergency_rules, rules
from apps.approvals.actions.emergency_moves import close
from apps.approvals.actions.moves import checked_text
from apps.approvals.emergency_queries import (
    concerned,
    confirmations,
    turn_of,
    unmet_practices,
)
from apps.approvals.evidence import Recheck, evidence_of
from apps.approvals.exception_records import emergency_text, sealed, signed_by
from apps.approvals.models import (
    EmergencyApproval,
    EmergencyMeaning,
    EmergencySignature,
    EmergencyStatus,
)
from apps.approvals.policy_book import emergency_policy
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid
from apps.notices.models import NoticeKind
from apps.notices.notify import LAST_PART, notify
from apps.registry.actions.versions import locked_version
from apps.validation.queries import latest_report

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.registry.models import ModelVersion


def declare_emergency(
    *, version: ModelVersion, reason: str, hours: int, password: str, by: User
) -> EmergencyApproval:
    """Let `version` serve from now on, until two others confirm or its hours are over.

    Neither the version nor its alias moves: the ordinary request stays as it is.

    Args:
        version: its newest report passed, and no finding blocks it.
        reason: must be given.
        hours: until when it must be confirmed, at most as the policy says.
        password: of `by`, entered anew.
        by: a program manager who took no part in making the version.

    Raises:
        Invalid: no reason is given, or the hours cannot be.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: something stands against the version, or it had its emergency.
    """
    reason = _reason(reason, "Say what the emergency is.")
    most = emergency_policy().most_hours
    if not 1 <= hours <= most:
        raise _invalid("hours", f"Give 1 to {most} hours.")
    ensure(rules.can_declare_emergency(by, version))
    confirm_password(by=by, password=password)
    with transaction.atomic():
        version = locked_version(version)
        ensure(rules.can_declare_emergency(by, version))
        emergency = _create(version, reason, hours)
        given = _sign(emergency, EmergencyMeaning.DECLARES, reason, by)
        record(
            EventType.EMERGENCY_DECLARED,
            target=emergency,
            project=emergency.project,
            by=by,
            changes={
                "confirm_by": emergency.confirm_by.isoformat(),
                "unmet_practices": emergency.unmet_practices,
                "evidence_digest": emergency.evidence_digest,
                "record_sha256": given.record_sha256,
            },
            reason=reason,
        )
        _tell_of_declaring(emergency, by)
        return emergency


def confirm_emergency(
    *, emergency: EmergencyApproval, comment: str, password: str, by: User
) -> EmergencySignature:
    """Confirm that an emergency approval was right; the second one lets it stand.

    Args:
        emergency: declared, its evidence unchanged.
        comment: must be given.
        password: of `by`, entered anew.
        by: who neither declared it nor took part in making the version.

    Raises:
        Invalid: nothing is said, or too much.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: it is over or confirmed, or something stands against the version.
    """
    comment = _reason(comment, "Say on what you confirm it.")
    ensure(rules.can_confirm_emergency(by, emergency))
    confirm_password(by=by, password=password)
    with transaction.atomic():
        emergency = locked_emergency(emergency)
        ensure(rules.can_confirm_emergency(by, emergency))
        given = _sign(emergency, EmergencyMeaning.CONFIRMS, comment, by)
        is_last = confirmations(emergency) >= emergency.policy["confirmations"]
        if is_last:
            emergency.advance(EmergencyStatus.CONFIRMED)
            emergency.save()
        record(
            EventType.EMERGENCY_CONFIRMED
            if is_last
            else EventType.EMERGENCY_CONFIRMATION_GIVEN,
            target=emergency,
            project=emergency.project,
            by=by,
            changes={
                "evidence_digest": given.evidence_digest,
                "record_sha256": given.record_sha256,
            },
            reason=comment,
        )
        if is_last:
            notify(
                to=[person for person in concerned(emergency) if person != by],
                kind=NoticeKind.EMERGENCY_CONFIRMED,
                target=emergency,
                sentence=f"The {emergency} is confirmed and stands until "
                f"{_moment(emergency)}.",
            )
        return given


def end_emergency(
    *, emergency: EmergencyApproval, reason: str, password: str, by: User
) -> EmergencyApproval:
    """End an emergency approval before its hour; the version no longer serves by it.

    Args:
        emergency: in force.
        reason: must be given.
        password: of `by`, entered anew.
        by: who could confirm one.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: the person may not.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: it is over.
    """
    reason = _reason(reason, "Say why it must end.")
    ensure(rules.can_end_emergency(by, emergency))
    confirm_password(by=by, password=password)
    with transaction.atomic():
        emergency = locked_emergency(emergency)
        ensure(rules.can_end_emergency(by, emergency))
        given = _sign(emergency, EmergencyMeaning.ENDS, reason, by)
        close(
            emergency,
            EmergencyStatus.ENDED,
            reason,
            by=by,
            changes={"record_sha256": given.record_sha256},
        )
        return emergency


@transaction.atomic
def review_emergency(
    *, emergency: EmergencyApproval, by: User, recheck: Recheck = Recheck.ROWS
) -> EmergencyApproval | None:
    """End an emergency approval if its time is up or its evidence moved.

    Args:
        emergency: in force.
        by: a worker.
        recheck: of which stored files the bytes are read again.

    Returns:
        None when it stays where it is.

    Raises:
        Refused: only workers may.
    """
    emergency = locked_emergency(emergency)
    ensure(rules.can_review_emergency(by, emergency))
    turn = turn_of(emergency, recheck) if emergency.is_in_force else None
    if turn is None:
        return None
    emergency.moved = list(turn.moved)
    moved = {f"{part['part']}_digest": part["after"] for part in turn.moved}
    close(emergency, turn.to, turn.reason, by=by, changes=moved)
    return emergency


@transaction.atomic
def remind_of_emergency(*, emergency: EmergencyApproval, by: User) -> None:
    """Tell those who could confirm that time runs out; once for each person.

    Raises:
        Refused: only workers may.
    """
    ensure(rules.can_remind_of_emergency(by, emergency))
    if emergency.status != EmergencyStatus.DECLARED:
        return
    given = emergency.confirm_by - emergency.declared_at
    if emergency.confirm_by - timezone.now() > LAST_PART * given:
        return
    notify(
        to=_able(emergency),
        kind=NoticeKind.EMERGENCY_LAPSES_SOON,
        target=emergency,
        sentence=f"The {emergency} lapses on {_moment(emergency)} unless it is "
        "confirmed.",
        once=str(emergency.pk),
    )


def locked_emergency(emergency: EmergencyApproval) -> EmergencyApproval:
    """Read an emergency approval anew and lock it, its version before it."""
    version = locked_version(emergency.version)
    found = EmergencyApproval.objects.select_for_update().get(pk=emergency.pk)
    found.version = version
    return found


def _create(version: ModelVersion, reason: str, hours: int) -> EmergencyApproval:
    report = latest_report(version)
    if report is None:  # the rule has asked for one
        raise _invalid("reason", "There is no validation report to rest on.")
    policy = emergency_policy()
    evidence = evidence_of(report, policy.to_json())
    unmet = unmet_practices(version)
    now = timezone.now()
    return EmergencyApproval.objects.create(
        version=version,
        report=report,
        reason=reason,
        policy=policy.to_json(),
        evidence=evidence,
        evidence_digest=canonical_digest(evidence),
        unmet_practices=[one.practice.slug for one in unmet],
        declared_at=now,
        confirm_by=now + timedelta(hours=hours),
        holds_until=now + timedelta(days=policy.confirmed_days),
    )


def _sign(
    emergency: EmergencyApproval, meaning: EmergencyMeaning, comment: str, by: User
) -> EmergencySignature:
    given = EmergencySignature(
        emergency=emergency,
        meaning=meaning,
        comment=comment,
        evidence_digest=emergency.evidence_digest,
    )
    given = signed_by(given, by)
    sealed(given, emergency_text(given)).save()
    return given


def _tell_of_declaring(emergency: EmergencyApproval, by: User) -> None:
    able = [person for person in _able(emergency) if person != by]
    until = _moment(emergency)
    notify(
        to=able,
        kind=NoticeKind.EMERGENCY_TO_CONFIRM,
        target=emergency,
        sentence=f"{emergency.version} serves by emergency. Confirm it by {until}, or "
        "it lapses.",
    )
    others = [one for one in concerned(emergency) if one != by and one not in able]
    notify(
        to=others,
        kind=NoticeKind.EMERGENCY_DECLARED,
        target=emergency,
        sentence=f"{emergency.version} serves by emergency, without the ordinary "
        f"signatures, and must be confirmed by {until}.",
    )


def _able(emergency: EmergencyApproval) -> list[User]:
    return [one for one, may in emergency_rules.confirmers(emergency) if may]


def _moment(emergency: EmergencyApproval) -> str:
    return f"{timezone.localtime(emergency.ends_at):%-d %B %Y, %H:%M}"


def _reason(text: str, sentence: str) -> str:
    text = checked_text(text, field="comment")
    if not text:
        raise _invalid("comment", sentence)
    return text


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={name: sentence})
