"""The sealer's own files: its private keys, and what it last published.

They lie on the sealer's machine, not in the database, so that whoever rewrites the
database can neither sign nor make the sealer forget what it has signed already.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_EPOCH = re.compile(r"(.*/)([1-9][0-9]*)")


class CannotSeal(Exception):
    """Nothing is signed until a person has looked; the message says at what."""


@dataclass(frozen=True)
class SealerFiles:
    """The key, and beside it the keys to come and the checkpoint that went out last.

    Attributes:
        key_file: the key that signs now. The files beside it begin with its name.
    """

    key_file: Path

    @property
    def published_file(self) -> Path:
        """The file of the last checkpoint."""
        return self._beside("checkpoint")

    def make_key(self, origin: str) -> None:
        """Make the key of a trail that was never signed, unless there is one."""
        if not self.key_file.exists():
            _write_key(self.key_file, origin)

    def signer(self) -> Signer:
        """Read the key.

        Raises:
            CannotSeal: the key is missing, malformed, or open to others.
        """
        return _read_key(self.key_file)

    def next_signer(self) -> Signer | None:
        """Read the key that is to replace the present one, if there is one."""
        file = self._beside("next")
        return _read_key(file) if file.exists() else None

    def make_next_key(self) -> Signer:
        """Read or make the key that is to replace the present one."""
        return _made(self._beside("next"), self.signer().name)

    def take_next_key(self) -> None:
        """Sign with the next key only; the present one is gone for good."""
        retired = self._beside("retired")
        known = retired.read_text() if retired.exists() else ""
        _write(retired, f"{known}{self.signer().vkey}\n")
        self._beside("next").replace(self.key_file)

    def make_successor(self) -> Signer:
        """Read or make the key of the log that continues this one after a loss."""
        return _made(self._beside("successor"), next_origin(self.signer().name))

    def has_successor(self) -> bool:
        """Say whether the step to another log has begun and did not end."""
        return self._beside("successor").exists()

    def take_successor(self, note: str) -> None:
        """Begin another log with `note`; what the old one published is kept aside.

        Should it stop half-way it can be repeated: the key changes last.
        """
        aside = self._beside(f"checkpoint.{_slug(self.signer().name)}")
        if self.published_file.exists() and not aside.exists():
            _write(aside, self.published_file.read_text())
        self.publish(note)
        self._beside("next").unlink(missing_ok=True)
        self._beside("successor").replace(self.key_file)

    def vkeys(self) -> tuple[str, ...]:
        """List the public keys that signed this log, the retired ones too."""
        retired = self._beside("retired")
        known = retired.read_text().split() if retired.exists() else []
        signers = filter(None, [self.signer(), self.next_signer()])
        return (*(one.vkey for one in signers), *known)

    def published(self) -> Checkpoint | None:
        """Read the checkpoint that went out last; None when there never was one.

        Raises:
            CannotSeal: the file is no checkpoint of our keys.
        """
        try:
            return opened(self.published_file.read_text(), self.vkeys())
        except FileNotFoundError:
            return None
        except InvalidNote as error:
            raise CannotSeal(
                f"{self.published_file} is not what this key signed: {error}"
            ) from error

    def is_published_by(self, signer: Signer) -> bool:
        """Say whether this key signed the checkpoint that went out last."""
        try:
            opened(self.published_file.read_text(), (signer.vkey,))
        except (FileNotFoundError, InvalidNote):
            return False
        return True

    def last_note(self) -> str:
        """Read what went out last, without asking who signed it."""
        try:
            return self.published_file.read_text()
        except FileNotFoundError:
            return ""

    def publish(self, note: str) -> None:
        """Keep the newest checkpoint."""
        _write(self.published_file, note)

    def _beside(self, suffix: str) -> Path:
        return self.key_file.with_name(f"{self.key_file.name}.{suffix}")


def next_origin(origin: str) -> str:
    """Name the log that continues this one: `…/audit/1` is followed by `…/audit/2`."""
    found = _EPOCH.fullmatch(origin)
    return f"{found[1]}{int(found[2]) + 1}" if found else f"{origin}/2"


@lru_cache(maxsize=4)
def opened(note: str, vkeys: Sequence[str]) -> Checkpoint:
    """Read a checkpoint that one of these keys signed.

    Raises:
        InvalidNote: none of them did.
    """
    text, _ = open_note(note, [Verifier(vkey) for vkey in vkeys])
    return parse_checkpoint(text)


def _made(path: Path, origin: str) -> Signer:
    if not path.exists():
        _write_key(path, origin)
    return _read_key(path)


def _write_key(path: Path, origin: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, Signer.generate(origin, secrets.token_bytes(SEED_BYTES)))


def _read_key(path: Path) -> Signer:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise CannotSeal(
                f"Others can read {path}: set its mode to 600, and "
                "replace the key if somebody may have copied it."
            )
        return _signer(path.read_text().strip())
    except OSError as error:
        raise CannotSeal(
            f"The signing key cannot be read: {error}. Put the key that signed "
            "this trail there; a new one would not be trusted."
        ) from error
    except InvalidKey as error:
        raise CannotSeal(f"{path} holds no signing key: {error}") from error


_signer = lru_cache(maxsize=4)(Signer)


def _slug(origin: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", origin)


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, for this account's eyes only, safe from power loss."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
