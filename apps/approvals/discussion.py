"""Reading a discussion: threads by page, and the people whom a text names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.approvals import queries
from apps.approvals.evidence import PARTS
from apps.approvals.models import Comment
from apps.core.errors import Invalid
from apps.core.rest import Page, keyset_page

if TYPE_CHECKING:
    from apps.approvals.models import ApprovalRequest

THREADS_SHOWN = 20
MAX_REPLIES = 200
MAX_MENTIONS = 10
# The part of an address before its @, or all of it, where no word runs into it.
_HANDLE = re.compile(r"(?<![\w.@])@([a-z0-9][\w.+-]*(?:@[\w-]+(?:\.[\w-]+)+)?)", re.I)
_NAMED = re.compile(r"@\[([0-9a-f-]{36})\]")


@dataclass(frozen=True)
class Piece:
    """A stretch of a comment: words, or somebody who is named."""

    text: str
    is_person: bool = False


@dataclass
class Shown:
    """A comment as people read it."""

    comment: Comment
    pieces: list[Piece]
    replies: list[Shown] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The words with the present names of the people in them."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def part_name(self) -> str:
        """What people call the part of the evidence that it is about."""
        return PARTS.get(self.comment.part, "")


def threads_of(
    approval: ApprovalRequest, *, after: str | None = None, start: str | None = None
) -> Page:
    """Take a page of threads, the newest first.

    Args:
        approval: whose discussion.
        after: cursor of the last thread seen.
        start: id of the thread to begin with; what is none begins with the newest.
    """
    threads = Comment.objects.filter(request=approval).threads()
    if start and (first := _id_in(start)):
        threads = threads.filter(pk__lte=first)
    joined = threads.select_related("author")
    return keyset_page(joined, after=after, limit=THREADS_SHOWN)


def shown(approval: ApprovalRequest, threads: Iterable[Comment]) -> list[Shown]:
    """Give threads with their replies, oldest reply first, for two queries."""
    threads = list(threads)
    replies = Comment.objects.filter(reply_to__in=threads)
    below = defaultdict(list)
    for reply in replies.select_related("author").order_by("pk"):
        below[reply.reply_to_id].append(reply)
    everything = [*threads, *(one for found in below.values() for one in found)]
    names = _names_in(everything)
    for comment in everything:
        comment.request = approval
    return [
        Shown(
            thread,
            list(_pieces(thread, names)),
            [Shown(reply, list(_pieces(reply, names))) for reply in below[thread.pk]],
        )
        for thread in threads
    ]


def mentions_in(text: str, approval: ApprovalRequest) -> dict[str, User]:
    """Find whom a text names, of those who can see the request.

    Whoever cannot see it is not found, as if there were no such person.

    Returns:
        By what was written after the @, in lower case.

    Raises:
        Invalid: a name could be two people, or too many are named.
    """
    handles = {_trimmed(found).lower() for found in _HANDLE.findall(text)}
    if len(handles) > MAX_MENTIONS:
        raise _invalid(f"Name at most {MAX_MENTIONS} people in one comment.")
    found = {handle: _person(handle, approval) for handle in sorted(handles)}
    return {handle: person for handle, person in found.items() if person}


def with_ids(text: str, people: dict[str, User]) -> str:
    """Write the ids of `people` where a text names them."""

    def replaced(match: re.Match[str]) -> str:
        handle = _trimmed(match[1])
        person = people.get(handle.lower())
        rest = match[1][len(handle) :]
        return f"@[{person.pk}]{rest}" if person else match[0]

    return _HANDLE.sub(replaced, text)


def participants(thread: Comment) -> QuerySet[User]:
    """List who wrote in a thread."""
    written = Comment.objects.filter(Q(pk=thread.pk) | Q(reply_to=thread))
    return User.objects.filter(pk__in=written.values("author")).order_by("pk")


def _person(handle: str, approval: ApprovalRequest) -> User | None:
    named = Q(email__iexact=handle)
    if "@" not in handle:
        named = Q(email__istartswith=f"{handle}@")
    seeing = queries.seeing(approval, User.objects.people().filter(named))
    if len(seeing) > 1:
        raise _invalid(
            f"@{handle} could be {len(seeing)} people; write the whole address after "
            "the @."
        )
    return seeing[0] if seeing else None


def _trimmed(handle: str) -> str:
    """Leave out what ends the sentence, not the name."""
    return handle.rstrip(".-+_")


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"text": sentence})


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _names_in(comments: Iterable[Comment]) -> dict[UUID, str]:
    ids = {named for comment in comments for named in comment.mentioned}
    if not ids:
        return {}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "full_name"))


def _pieces(comment: Comment, names: dict[UUID, str]) -> Iterator[Piece]:
    """Part a text at the people it names; what only looks like one stays text."""
    position = 0
    for match in _NAMED.finditer(comment.text):
        named = _id_in(match[1])
        if named not in comment.mentioned or named not in names:
            continue
        if before := comment.text[position : match.start()]:
            yield Piece(before)
        yield Piece(f"@{names[named]}", is_person=True)
        position = match.end()
    if rest := comment.text[position:]:
        yield Piece(rest)
