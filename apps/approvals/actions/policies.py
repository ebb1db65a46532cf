"""Writing a policy, and putting it in force."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import rules
from apps.approvals.actions.moves import checked_text
from apps.approvals.models import PolicyEnactment, PolicyVersion
from apps.approvals.models.policies import MAX_NOTE_CHARACTERS
from apps.approvals.policy_book import checked_policy, in_force, readable
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.accounts.models import User


def write_policy(*, name: str, text: str, note: str, by: User) -> PolicyVersion:
    """Keep a version of a policy; it applies to nothing until it is put in force.

    The same text again gives the version that holds it already.

    Args:
        name: of a shipped policy.
        text: YAML; its number must be the next one.
        note: what changed and why.
        by: an AI official.

    Raises:
        Invalid: the text cannot be read or says something impossible, with every fault
            and its line; the note is missing or too long.
        Refused: the person may not.
    """
    ensure(rules.can_write_policy(by))
    text = text.replace("\r\n", "\n").strip() + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    twin = PolicyVersion.objects.filter(name=name, digest=digest).first()
    if twin:
        return twin
    note = _checked_note(note, "note")
    policy = checked_policy(name, text)
    try:
        with transaction.atomic():
            written = PolicyVersion.objects.create(
                name=name,
                number=policy.version,
                text=text,
                digest=digest,
                note=note,
                written_by=by,
            )
            record(
                EventType.POLICY_WRITTEN,
                target=written,
                project=None,
                by=by,
                changes={"policy": policy.title, "digest": digest},
                reason=note,
            )
    except IntegrityError as error:
        sentence = f"Somebody wrote version {policy.version} meanwhile."
        raise Invalid(sentence, fields={"text": sentence}) from error
    return written


def enact_policy(
    *, version: PolicyVersion, reason: str, password: str, by: User
) -> PolicyEnactment:
    """Have requests judged by `version` from now on; open ones keep what they have.

    Args:
        version: of a policy.
        reason: must be given.
        password: of `by`, entered anew.
        by: an AI official.

    Raises:
        Invalid: the reason is missing or too long; the text names what the portal no
            longer knows.
        Refused: the person may not.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: it is in force already.
    """
    reason = _checked_note(reason, "reason")
    confirm_password(by=by, password=password)
    with transaction.atomic():
        # The first version of the name serialises what is put in force under it.
        oldest = PolicyVersion.objects.filter(name=version.name).order_by("number")
        oldest.select_for_update(no_key=True)[:1].get()
        before = in_force(version.name)
        ensure(rules.can_enact_policy(by, version, before))
        policy = readable(version.text)
        enactment = PolicyEnactment.objects.create(
            version=version, reason=reason, enacted_by=by
        )
        record(
            EventType.POLICY_ENACTED,
            target=version,
            project=None,
            by=by,
            changes={
                "policy": policy.title,
                "digest": [_digest(before.text), version.digest],
            },
            reason=reason,
        )
    return enactment


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checked_note(text: str, field: str) -> str:
    text = checked_text(text, field=field)
    if not text or len(text) > MAX_NOTE_CHARACTERS:
        sentence = f"Say what changed and why, in at most {MAX_NOTE_CHARACTERS} signs."
        raise Invalid(sentence, fields={field: sentence})
    return text
