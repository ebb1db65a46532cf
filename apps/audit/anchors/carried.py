"""A witness that no network reaches: somebody carries the request there and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import ClassVar
from urllib.parse import quote

from apps.audit.anchors.anchor import (
    DAY,
    Anchor,
    Log,
    Receipt,
    Statement,
    Unpublished,
    Waits,
)
from apps.audit.anchors.witness import checked, require_not_ahead, submission_from
from apps.audit.transparency.cosignature import CosignatureVerifier
from apps.audit.transparency.note import MAX_NOTE_BYTES
from apps.audit.transparency.witness import (
    InvalidSubmission,
    format_submission,
    parse_size,
)

_NAME = re.compile(r"([1-9][0-9]{0,15})\.(request|answer)")


@dataclass(frozen=True)
class CarriedWitness(Anchor):
    """Writes `<size>.request` and takes `<size>.answer` from the same folder.

    A request that nobody took for the pace of this anchor makes room for a newer one;
    its answer is still good.
    """

    kind: ClassVar[str] = "Witness by file"
    usual_pace: ClassVar[int] = DAY
    usual_patience: ClassVar[int] = 8 * DAY
    is_carried: ClassVar[bool] = True

    folder: Path
    verifier: CosignatureVerifier

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Take the answer that was brought back, or lay out a request."""
        if not self.folder.is_dir():
            raise Unpublished(f"{self.folder} is gone.")
        own = self.folder / quote(log.origin, safe="")
        try:
            own.mkdir(exist_ok=True)
            for size, path in _files(own, "answer"):
                return self._take(size, path, log)
            if not any(_age(path) < self.every for _, path in _files(own, "request")):
                _lay_out(own, statement.last, statement.size, log)
        except OSError as error:
            raise Unpublished(f"{own} cannot be used: {error}") from error
        raise Waits(f"The request in {own} waits to be carried to the witness.")

    def _take(self, size: int, path: Path, log: Log) -> Receipt:
        with path.open("rb") as file:
            text = file.read(MAX_NOTE_BYTES).decode(errors="replace")
        if text.startswith("—"):
            taken = checked(log.note(size), text, self.verifier)
            _clear(path.parent)
            return Receipt(size, taken)
        try:
            held = parse_size(text)
        except InvalidSubmission as error:
            raise Unpublished(f"{path} is no answer of a witness: {error}") from error
        newest = log.newest_size()
        require_not_ahead(held, Statement(size, log.note(size), 0), log)
        _clear(path.parent)
        _lay_out(path.parent, held, newest, log)
        raise Waits(f"The witness holds {held} events: carry the new request to it.")


def _files(own: Path, ending: str) -> Iterator[tuple[int, Path]]:
    """List the files of one kind, largest size first."""
    found = [(_NAME.fullmatch(path.name), path) for path in own.iterdir()]
    yield from sorted(
        ((int(name[1]), path) for name, path in found if name and name[2] == ending),
        reverse=True,
    )


def _lay_out(own: Path, old: int, size: int, log: Log) -> None:
    """Replace the request by one for this size."""
    text = format_submission(submission_from(old, size, log))
    new = own / "request.new"
    new.write_text(text)
    for _, path in _files(own, "request"):
        path.unlink()
    new.rename(own / f"{size}.request")


def _clear(own: Path) -> None:
    for ending in ("request", "answer"):
        for _, path in _files(own, ending):
            path.unlink()


def _age(path: Path) -> float:
    return time() - path.stat().st_mtime
