"""A time-stamping authority: proof that a checkpoint existed at a time (RFC 3161).

Request and answer go through the program `openssl ts`: checking a signed answer with
its certificates is no place for code of our own, and it is what an auditor will use.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from apps.audit.anchors.anchor import (
    DAY,
    MINUTE,
    Anchor,
    Log,
    Receipt,
    Statement,
    Unpublished,
)
from apps.audit.anchors.http import post

TIMEOUT_SECONDS: Final = 10
QUERY_TYPE: Final = "application/timestamp-query"


@dataclass(frozen=True)
class TimestampAuthority(Anchor):
    """Signs the digest of a checkpoint together with its own time."""

    kind: ClassVar[str] = "Time stamp"
    usual_pace: ClassVar[int] = DAY
    usual_patience: ClassVar[int] = 6 * 60 * MINUTE

    url: str
    certificates: Path

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Ask for a time stamp and check it."""
        with _scratch() as folder:
            (folder / "note").write_text(statement.note)
            _openssl("-query -data note -sha256 -cert -out query", folder)
            query = (folder / "query").read_bytes()
            answer = post(self.url, query, content_type=QUERY_TYPE)
            if answer.status != HTTPStatus.OK:
                raise Unpublished(f"The authority refuses (HTTP {answer.status}).")
            (folder / "answer").write_bytes(answer.body)
            authorities = ["-CAfile", str(self.certificates.absolute())]
            _openssl("-verify -queryfile query -in answer", folder, *authorities)
        return Receipt(statement.size, token=answer.body)


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="timestamp-") as folder:
        yield Path(folder)


def _openssl(arguments: str, folder: Path, *more: str) -> None:
    try:
        done = subprocess.run(
            ["openssl", "ts", *arguments.split(), *more],  # noqa: S607
            cwd=folder,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unpublished(f"The program openssl cannot be used: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["?"]
        raise Unpublished(f"openssl does not accept the time stamp: {said[-1][:300]}")
