"""The sealer's own files: its private key, and what it last published.

They lie on the sealer's machine, not in the database, so that whoever rewrites the
database can neither sign nor make the sealer forget what it has signed already.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from apps.audit.transparency.checkpoint import Checkpoint, parse_checkpoint
from apps.audit.transparency.note import (
    InvalidKey,
    InvalidNote,
    Signer,
    Verifier,
    open_note,
)

SEED_BYTES = 32


class CannotSeal(Exception):
    """Nothing is signed until a person has looked; the message says at what."""


@dataclass(frozen=True)
class SealerFiles:
    """The key, and beside it the checkpoint that went out last."""

    key_file: Path

    @property
    def published_file(self) -> Path:
        """The file of the last checkpoint."""
        return self.key_file.with_name(f"{self.key_file.name}.checkpoint")

    def signer(self, origin: str, *, may_create: bool) -> Signer:
        """Read the key; make one for a trail that was never signed.

        Raises:
            CannotSeal: the key is missing, malformed, or open to others.
        """
        if may_create and not self.key_file.exists():
            self.key_file.parent.mkdir(parents=True, exist_ok=True)
            _write(
                self.key_file, Signer.generate(origin, secrets.token_bytes(SEED_BYTES))
            )
        try:
            if stat.S_IMODE(self.key_file.stat().st_mode) & 0o077:
                raise CannotSeal(
                    f"Others can read {self.key_file}: set its mode to 600, and "
                    "replace the key if somebody may have copied it."
                )
            return Signer(self.key_file.read_text().strip())
        except OSError as error:
            raise CannotSeal(
                f"The signing key cannot be read: {error}. Put the key that signed "
                "this trail there; a new one would not be trusted."
            ) from error
        except InvalidKey as error:
            raise CannotSeal(
                f"{self.key_file} holds no signing key: {error}"
            ) from error

    def published(self, signer: Signer) -> Checkpoint | None:
        """Read the checkpoint that went out last; None when there never was one.

        Raises:
            CannotSeal: the file is no checkpoint of this key.
        """
        try:
            note = self.published_file.read_text()
            text, _ = open_note(note, [Verifier(signer.vkey)])
            return parse_checkpoint(text)
        except FileNotFoundError:
            return None
        except InvalidNote as error:
            raise CannotSeal(
                f"{self.published_file} is not what this key signed: {error}"
            ) from error

    def publish(self, note: str) -> None:
        """Keep the newest checkpoint."""
        _write(self.published_file, note)


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, for this account's eyes only, safe from power loss."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
