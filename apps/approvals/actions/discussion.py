"""Writing about a request, and taking a comment back."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.approvals import queries, rules
from apps.approvals.actions.moves import checked_text
from apps.approvals.discussion import mentions_in, participants, with_ids
from apps.approvals.evidence import PARTS
from apps.approvals.models import ApprovalRequest, Comment
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.notices.models import NoticeKind
from apps.notices.notify import notify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apps.accounts.models import User


@transaction.atomic
def write_comment(
    *,
    approval: ApprovalRequest,
    text: str,
    by: User,
    reply_to: Comment | None = None,
    part: str = "",
) -> Comment:
    """Say something about a request; whom it names or answers is told.

    Args:
        approval: any request, decided or not.
        text: plain text; @ and the first part of an address names somebody.
        by: who may take part.
        reply_to: the comment that began the thread; None begins one.
        part: of the evidence, for a comment that begins a thread.

    Raises:
        Invalid: nothing is said, or too much; a name could be two people.
        Refused: the person may not.
        WrongState: the thread is full.
    """
    # The row serialises what is written, so that a second click finds the first.
    found = ApprovalRequest.objects.select_for_update(of=("self",), no_key=True)
    joined = found.select_related("version__model__project", "requested_by")
    approval = joined.get(pk=approval.pk)
    ensure(rules.can_write_comment(by, approval, reply_to))
    _check_place(reply_to, part)
    said = checked_text(text, field="text")
    if not said:
        raise _invalid("text", "Write something.")
    named = mentions_in(said, approval)
    content = {"text": with_ids(said, named), "reply_to": reply_to, "part": part}
    if twin := _twin(approval, by, content):
        return twin
    comment = Comment.objects.create(
        request=approval,
        author=by,
        mentioned=sorted({person.pk for person in named.values()}),
        **content,
    )
    _record(EventType.COMMENT_WRITTEN, comment, by)
    _tell(comment, set(named.values()))
    return comment


@transaction.atomic
def withdraw_comment(*, comment: Comment, by: User) -> Comment:
    """Mark a comment of one's own as withdrawn; what it said stays on record.

    Raises:
        Refused: somebody else wrote it.
        WrongState: it is withdrawn already.
    """
    found = Comment.objects.select_for_update(of=("self",), no_key=True)
    comment = found.select_related("request__version__model__project").get(
        pk=comment.pk
    )
    ensure(rules.can_withdraw_comment(by, comment))
    comment.withdrawn_at = timezone.now()
    comment.save(update_fields=["withdrawn_at"])
    _record(EventType.COMMENT_WITHDRAWN, comment, by)
    return comment


def _check_place(reply_to: Comment | None, part: str) -> None:
    if reply_to and reply_to.reply_to_id:
        raise _invalid("reply_to", "Answer the comment that began the thread.")
    if part and (reply_to or part not in PARTS):
        raise _invalid(
            "part",
            "A reply is about what its thread is about."
            if reply_to
            else f"The parts of the evidence are {', '.join(PARTS)}.",
        )


def _twin(
    approval: ApprovalRequest, by: User, content: Mapping[str, object]
) -> Comment | None:
    """Return the last comment of `by` when it is this very one: a form sent twice."""
    last = Comment.objects.filter(request=approval, author=by).order_by("-pk").first()
    same = last and all(getattr(last, name) == each for name, each in content.items())
    return last if same and last and not last.withdrawn_at else None


def _record(event: EventType, comment: Comment, by: User) -> None:
    facts = {"comment_id": str(comment.pk), "thread_id": str(comment.thread_id)}
    if comment.part:
        facts["part"] = comment.part
    record(
        event,
        target=comment.request,
        project=comment.project,
        by=by,
        changes={**facts, "text_sha256": sha256(comment.text.encode()).hexdigest()},
    )


def _tell(comment: Comment, named: set[User]) -> None:
    """Tell whom a comment names, then whose request or thread it is about."""
    approval = comment.request
    _notify(
        comment,
        named - {comment.author},
        NoticeKind.COMMENT_NAMES,
        f"You are named in the discussion of the {approval}.",
    )
    concerned = {approval.requested_by}
    if comment.reply_to:
        concerned |= set(participants(comment.reply_to))
    others = concerned - named - {comment.author}
    _notify(
        comment,
        queries.seeing(approval, others),
        NoticeKind.COMMENT_WRITTEN,
        f"Something new was said in the discussion of the {approval}.",
    )


def _notify(
    comment: Comment, to: Iterable[User], kind: NoticeKind, sentence: str
) -> None:
    notify(to=to, kind=kind, target=comment, sentence=sentence)


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={field: sentence})
