"""Who is told what becomes of a request, in the words that they read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from apps.approvals import queries, rules
from apps.approvals.models import ApprovalStatus
from apps.notices.models import NoticeKind
from apps.notices.notify import notify

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest, Condition

_S = ApprovalStatus
# Where a request goes -> the kind of notice, and how the sentence ends.
_OUTCOMES = {
    _S.APPROVED: (NoticeKind.APPROVAL_APPROVED, "is approved and champion now."),
    _S.CHANGES_REQUESTED: (
        NoticeKind.APPROVAL_SENT_BACK,
        "was sent back: changes were asked for.",
    ),
    _S.EXPIRED: (
        NoticeKind.APPROVAL_EXPIRED,
        "is no longer approved: the approval was given until now.",
    ),
    _S.LAPSED: (NoticeKind.APPROVAL_LAPSED, "was not decided in time."),
    _S.REJECTED: (NoticeKind.APPROVAL_REJECTED, "was rejected."),
    _S.REVOKED: (NoticeKind.APPROVAL_REVOKED, "is no longer approved: it was ended."),
    _S.STALE: (
        NoticeKind.APPROVAL_STALE,
        "is no longer approved: what was signed changed since.",
    ),
    _S.SUSPENDED: (
        NoticeKind.APPROVAL_SUSPENDED,
        "is suspended: a condition is overdue.",
    ),
    _S.WITHDRAWN: (
        NoticeKind.APPROVAL_WITHDRAWN,
        "needs no signature: the request was withdrawn.",
    ),
}
_REINSTATED = (NoticeKind.APPROVAL_REINSTATED, "is approved again: conditions are met.")


def present_signers(approval: ApprovalRequest) -> list[User]:
    """List who may sign the present stage, in their own right or for somebody."""
    return [one.person for one in rules.signers(approval) if one.decision]


def tell_signers(approval: ApprovalRequest, *, by: User) -> None:
    """Tell those whose turn it is; not the person who just acted."""
    stage = queries.open_stages(approval)[0]
    notify(
        to=[person for person in present_signers(approval) if person != by],
        kind=NoticeKind.APPROVAL_TO_SIGN,
        target=approval,
        sentence=f"{approval.version} waits for your signature: {stage.title}.",
    )


def tell_outcome(
    approval: ApprovalRequest,
    *,
    by: User,
    also: Iterable[User] = (),
    again: bool = False,
) -> None:
    """Tell requester and signers where a request stands now.

    Args:
        approval: moved already.
        by: who moved it, who knows.
        also: others who waited for it.
        again: it stood there before, and stands there again.
    """
    status = ApprovalStatus(approval.status)
    kind, ending = _REINSTATED if again else _OUTCOMES[status]
    concerned = {*queries.people_of(approval), *also} - {by}
    notify(
        to=queries.seeing(approval, concerned),
        kind=kind,
        target=approval,
        sentence=f"{approval.version} {ending}",
    )


def tell_owners(duties: Sequence[Condition], *, by: User) -> None:
    """Tell those on whom a duty was laid."""
    for duty in duties:
        notify(
            to=[duty.owner] if duty.owner != by else [],
            kind=NoticeKind.CONDITION_ASSIGNED,
            target=duty,
            sentence=f"A condition of the {duty.approval} is yours, due on "
            f"{duty.due_on:%-d %B %Y}.",
        )
