"""A witness that answers over HTTP (C2SP tlog-witness)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from apps.audit.anchors.anchor import (
    Anchor,
    Contradicts,
    Log,
    Receipt,
    Statement,
    Unpublished,
)
from apps.audit.anchors.http import Answer, post
from apps.audit.transparency.checkpoint import Checkpoint
from apps.audit.transparency.cosignature import (
    Cosignature,
    CosignatureVerifier,
    take_cosignatures,
)
from apps.audit.transparency.note import InvalidNote
from apps.audit.transparency.witness import (
    InvalidSubmission,
    Submission,
    format_submission,
    parse_size,
)

REASONS: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "does not know the key of this log: tell it the key",
    HTTPStatus.NOT_FOUND: "does not know this log: ask its operator to add it",
}


@dataclass(frozen=True)
class Witness(Anchor):
    """Cosigns only what continues all that it cosigned before."""

    kind: ClassVar[str] = "Witness"

    url: str
    verifier: CosignatureVerifier

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Prove from the size that the witness holds, as far as we know or it says."""
        answer = self._submit(statement.last, statement.size, log)
        if answer.status == HTTPStatus.CONFLICT:
            held = self.size_in(answer.text)
            require_not_ahead(held, statement, log)
            if held > statement.size:  # a newer one is there already
                return Receipt(statement.size)
            answer = self._submit(held, statement.size, log)
        return Receipt(statement.size, self._cosignatures(answer, statement))

    def look(self, log: Log) -> Checkpoint | None:
        """Ask for the newest checkpoint again, which shows whether it knows more."""
        if size := log.newest_size():
            answer = self._submit(size, size, log)
            if answer.status == HTTPStatus.CONFLICT:
                held = self.size_in(answer.text)
                require_not_ahead(held, Statement(size, log.note(size), size), log)
                if held == size:
                    raise _other_tree(size)
        return None

    def size_in(self, text: str) -> int:
        """Read the size that the witness holds."""
        try:
            return parse_size(text)
        except InvalidSubmission as error:
            raise Unpublished(f"The witness answers strangely: {error}") from error

    def _submit(self, old: int, size: int, log: Log) -> Answer:
        submission = submission_from(old, size, log)
        return post(
            f"{self.url}/add-checkpoint",
            format_submission(submission).encode(),
            content_type="text/plain; charset=utf-8",
        )

    def _cosignatures(
        self, answer: Answer, statement: Statement
    ) -> tuple[Cosignature, ...]:
        if answer.status == HTTPStatus.OK:
            return checked(statement.note, answer.text, self.verifier)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise Contradicts(
                "The witness holds a checkpoint that the tree in the database does not "
                f"continue at {statement.size} events."
            )
        if answer.status == HTTPStatus.CONFLICT:
            if self.size_in(answer.text) == statement.size:
                raise _other_tree(statement.size)
            raise Unpublished("The witness answered somebody else meanwhile.")
        reason = REASONS.get(answer.status, "refuses")
        raise Unpublished(f"The witness {reason} (HTTP {answer.status}).")


def submission_from(old: int, size: int, log: Log) -> Submission:
    """Write what a witness is asked, with an empty proof where none is possible."""
    proof = log.proof(old, size) if old <= size else ()
    return Submission(min(old, size), proof, log.note(size))


def require_not_ahead(held: int, statement: Statement, log: Log) -> None:
    """See whether the witness knows more events than the database has now.

    Raises:
        Contradicts: it does.
    """
    if held > max(statement.size, log.newest_size()):
        raise Contradicts(
            f"The witness holds a checkpoint of {held} events, the database only "
            f"{log.newest_size()}."
        )


def checked(
    note: str, answer: str, verifier: CosignatureVerifier
) -> tuple[Cosignature, ...]:
    """Take the cosignatures of this witness out of an answer.

    Raises:
        Unpublished: there is none, or a wrong one.
    """
    try:
        return tuple(take_cosignatures(note, answer, [verifier]))
    except InvalidNote as error:
        raise Unpublished(f"The answer of the witness is no proof: {error}") from error


def _other_tree(size: int) -> Contradicts:
    return Contradicts(f"The witness holds another tree of {size} events.")
